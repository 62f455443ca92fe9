"""What bookings of people who walked in go by in place of a link: the host's own hours, and nothing else."""

from __future__ import annotations

from app.domain.errors import NotFound
from app.domain.links import Link
from app.domain.locations import Location
from app.ports.links import LinkContext
from app.ports.unit_of_work import UnitOfWork

TITLE = "Walk-in"
_STEP_MINUTES = 15


async def walk_in_context(work: UnitOfWork, org_id: str, host_id: str, duration: int) -> LinkContext:
    """The context of a link that nobody keeps, over one host. `NotFound` when the host is gone."""
    link = Link(
        id="",
        org_id=org_id,
        owner_id=host_id,
        slug="",
        title=TITLE,
        description="",
        is_active=True,
        mode="single",
        schedule_id=None,
        template_id=None,
        service_id=None,
        durations=(duration,),
        step=_STEP_MINUTES,
        buffer_before=0,
        buffer_after=0,
        minimum_notice=0,
        horizon_days=365,
        date_range=None,
        max_per_day=None,
        max_per_week=None,
        requires_approval=False,
        location=Location(),
        version=1,
        created_at=0,
        updated_at=0,
    )
    context = await work.links.context_over(link, [host_id])
    if context is None:
        raise NotFound("There is no such host.")
    return context
