// ts-caldav: events and tasks, and its own way to sync by ctag and etags. It is given no more than the origin.
import assert from 'node:assert/strict';
import { CalDAVClient } from 'ts-caldav';
import { account, authorization, check, fresh } from './checks.mjs';

const origin = new URL(account.root).origin;
const client = await check('discovers the home from the origin', async () => {
  const auth = { type: 'basic', username: account.username, password: account.password };
  const found = await CalDAVClient.create({ baseUrl: origin, auth });
  assert.ok(found.getCalendarHome());
  return found;
});

if (client) {
  const name = fresh('ts-caldav');
  const url = new URL(`${client.getCalendarHome().replace(/\/?$/, '/')}${name}/`, origin);
  const send = (method) => fetch(url, { method, headers: { authorization } });
  await check('a calendar is made without a body', async () => assert.equal((await send('MKCALENDAR')).status, 201));
  const calendar = await check('lists the calendar with its components', async () => {
    const found = (await client.getCalendars()).find((each) => each.url.includes(name));
    assert.ok(found?.supportedComponents.includes('VEVENT'));
    return found;
  });
  if (calendar) {
    const all = () => client.getEvents(calendar.url, { all: true });
    const at = (text) => new Date(`2027-01-${text}Z`);
    const made = await check('makes an event in a zone, and learns its etag and the ctag', async () => {
      const times = { start: at('01T10:00:00'), end: at('01T11:00:00'), startTzid: 'Europe/Berlin', endTzid: 'Europe/Berlin' };
      const found = await client.createEvent(calendar.url, { summary: 'Zoned', ...times });
      assert.ok(found.etag && found.newCtag);
      return found;
    });
    const held = [{ href: made?.href, etag: made?.etag }];
    await check('finds it by its time', async () => {
      const range = { start: at('01T00:00:00'), end: at('03T00:00:00') };
      assert.equal((await client.getEvents(calendar.url, range)).length, 1);
    });
    await check('sees that nothing changed', async () => assert.equal((await client.syncChanges(calendar.url, made.newCtag, held)).changed, false));
    await check('changes it, which changes its etag', async () => {
      const [event] = await all();
      assert.notEqual((await client.updateEvent(calendar.url, { ...event, summary: 'Changed' })).etag, made.etag);
    });
    await check('sees that it changed', async () => {
      const found = await client.syncChanges(calendar.url, made.newCtag, held);
      assert.deepEqual([found.changed, found.updatedEvents.length], [true, 1]);
    });
    await check('makes a task and reads it', async () => {
      await client.createTodo(calendar.url, { summary: 'Task', due: at('05T00:00:00') });
      assert.equal((await client.getTodos(calendar.url, { all: true })).length, 1);
    });
    await check('deletes the event', async () => {
      const [event] = await all();
      await client.deleteEvent(calendar.url, event.uid, event.etag);
      assert.equal((await all()).length, 0);
    });
  }
  await send('DELETE');
}
