"""Sets of questions to begin with, for the usual kinds of appointments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.domain.templates import Followup, Question


@dataclass(frozen=True, slots=True)
class StarterTemplate:
    """A template as a proposal; `id` is a word, `about` says what it is for."""

    id: str
    name: str
    about: str
    questions: tuple[Question, ...]
    followup: Followup = field(default_factory=Followup)


LIBRARY: Sequence[StarterTemplate] = (
    StarterTemplate(
        "introduction",
        "Introduction",
        "A first conversation with somebody new.",
        (
            Question("topic", "What would you like to talk about?", "long", required=True),
            Question("company", "Company", "short"),
            Question(
                "source", "How did you hear of us?", "choice", options=("A friend", "The web", "An event", "Other")
            ),
        ),
        Followup("Thank you for your time", "It was good to meet you. Here is what we agreed on:", 60),
    ),
    StarterTemplate(
        "consultation",
        "Consultation",
        "Advice that wants some preparation.",
        (
            Question("matter", "What is it about?", "long", required=True),
            Question("goal", "What should be settled afterwards?", "long"),
            Question("urgent", "It is urgent", "checkbox"),
        ),
        Followup("How did it go?", "If anything is still open, just answer this mail.", 1440),
    ),
    StarterTemplate(
        "interview",
        "Job interview",
        "Applicants who choose a time.",
        (
            Question("position", "Which position do you apply for?", "short", required=True),
            Question("profile", "Where can we read about you?", "short", help="The address of a profile or portfolio."),
            Question("phone", "Phone number, in case the connection fails", "phone"),
        ),
    ),
    StarterTemplate(
        "treatment",
        "Treatment",
        "Health, beauty and body.",
        (
            Question("first", "Is it your first visit?", "choice", required=True, options=("Yes", "No")),
            Question("conditions", "Is there anything we should know?", "long", help="Allergies, pregnancy, injuries."),
            Question("phone", "Phone number", "phone", required=True),
        ),
        Followup("Thank you for your visit", "We hope that you are well. We look forward to seeing you again.", 1440),
    ),
    StarterTemplate(
        "support",
        "Support",
        "Help with a product.",
        (
            Question("product", "Which product is it about?", "short", required=True),
            Question("problem", "What happens, and what should happen?", "long", required=True),
            Question("reference", "Order or ticket number", "short"),
        ),
    ),
    StarterTemplate(
        "class",
        "Class or course",
        "Participants of a group.",
        (
            Question("level", "Your level", "choice", options=("Beginner", "Some experience", "Advanced")),
            Question("needs", "What do you need to take part well?", "long"),
            Question("emergency", "Whom may we call in an emergency?", "phone"),
        ),
    ),
    StarterTemplate(
        "visit",
        "Visit at home",
        "Somebody comes to the recipient.",
        (
            Question("address", "Address", "long", required=True),
            Question("access", "How do we get in?", "short", help="Floor, name at the bell, parking."),
            Question("phone", "Phone number", "phone", required=True),
        ),
    ),
)
