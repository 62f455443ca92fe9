// tsdav: a calendar's life, from discovery to its end.
import assert from 'node:assert/strict';
import { DAVClient } from 'tsdav';
import { account, check, event, fresh } from './checks.mjs';

const january = (first, last) => ({
  start: `2027-01-${String(first).padStart(2, '0')}T00:00:00Z`,
  end: `2027-01-${String(last).padStart(2, '0')}T00:00:00Z`,
});
const dav = new DAVClient({
  serverUrl: account.root,
  credentials: { username: account.username, password: account.password },
  authMethod: 'Basic',
  defaultAccountType: 'caldav',
});

await check('signs in and finds the home', async () => {
  await dav.login();
  assert.ok(dav.account.homeUrl.endsWith(`/${account.username}/`));
});
await check('knows addresses of the person', async () => {
  const addresses = await dav.fetchCalendarUserAddresses({ account: dav.account });
  assert.ok(addresses.some((each) => each.startsWith('mailto:')), addresses.join());
});

const name = fresh('tsdav');
const url = new URL(`${name}/`, dav.account.homeUrl).href;
await check('makes a calendar', async () => {
  const [answer] = await dav.makeCalendar({ url, props: { displayname: 'By tsdav' } });
  assert.equal(answer.ok, true, `status ${answer.status}`);
});
const listed = async () => (await dav.fetchCalendars()).find((each) => each.url.includes(name));
const calendar = await check('lists the calendar under its name', async () => {
  const found = await listed();
  assert.equal(found?.displayName, 'By tsdav');
  return found;
});

if (calendar) {
  const put = (file, text) => dav.createCalendarObject({ calendar, filename: file, iCalString: text });
  const objects = (more = {}) => dav.fetchCalendarObjects({ calendar, ...more });
  await check('learns ctag and sync token', () => assert.ok(calendar.ctag && calendar.syncToken));
  await check('learns components and reports', () => {
    assert.ok(calendar.components.includes('VEVENT'));
    for (const report of ['calendarQuery', 'calendarMultiget', 'syncCollection']) assert.ok(calendar.reports.includes(report), report);
  });
  await check('puts an event', async () => assert.equal((await put('one.ics', event(`one-${name}`, 'One'))).status, 201));
  await check('is refused to put over it as if it were new', async () =>
    assert.equal((await put('one.ics', event(`one-${name}`, 'Another'))).status, 412));
  const [one] = (await check('reads it back with its etag', async () => {
    const found = await objects();
    assert.equal(found.length, 1);
    assert.match(found[0].data, /SUMMARY:One/);
    assert.ok(found[0].etag);
    return found;
  })) ?? [];
  await check('finds it by its time', async () => assert.equal((await objects({ timeRange: january(1, 2) })).length, 1));
  await check('does not find it at another time', async () => assert.equal((await objects({ timeRange: january(2, 3) })).length, 0));
  await check('gets a series expanded', async () => {
    await put('daily.ics', event(`daily-${name}`, 'Daily', { day: 10, more: ['RRULE:FREQ=DAILY;COUNT=3'] }));
    const [daily] = await objects({ expand: true, timeRange: january(9, 20) });
    assert.equal(daily.data.split('BEGIN:VEVENT').length - 1, 3);
    assert.doesNotMatch(daily.data, /RRULE/);
  });
  await check('sees that the collection changed', async () => assert.equal((await dav.isCollectionDirty({ collection: calendar })).isDirty, true));
  await check('changes the event by its etag', async () => {
    const changed = { ...one, data: event(`one-${name}`, 'Two') };
    assert.equal((await dav.updateCalendarObject({ calendarObject: changed })).ok, true);
  });
  await check('is refused to change it by an old etag', async () => {
    const changed = { ...one, data: event(`one-${name}`, 'Three') };
    assert.equal((await dav.updateCalendarObject({ calendarObject: changed })).status, 412);
  });
  await check('syncs what was added and what was deleted', async () => {
    const collection = { ...calendar, objects: [], objectMultiGet: (given) => dav.calendarMultiGet(given) };
    const sync = async (syncToken, held) => {
      const found = await dav.smartCollectionSync({ collection: { ...collection, syncToken, objects: held }, method: 'webdav', detailedResult: true });
      return { token: found.syncToken, ...(found.objects ?? found) };
    };
    const first = await sync(undefined, []);
    assert.equal(first.created.length, 2);
    await put('late.ics', event(`late-${name}`, 'Late', { day: 20 }));
    const second = await sync(first.token, first.created);
    assert.equal(second.created.length, 1);
    await dav.deleteCalendarObject({ calendarObject: second.created[0] });
    const third = await sync(second.token, [...first.created, ...second.created]);
    assert.deepEqual([third.created.length, third.deleted.length], [0, 1]);
  });
  await check('asks when the person is busy', async () =>
    assert.notEqual(await dav.freeBusyQuery({ url: calendar.url, timeRange: january(1, 2) }), undefined));
  await check('deletes the calendar', async () => {
    assert.equal((await dav.deleteObject({ url: calendar.url })).ok, true);
    assert.equal(await listed(), undefined);
  });
}
