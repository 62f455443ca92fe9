// The library under Nextcloud's calendar. It is made for browsers, so it gets a document to work with.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { JSDOM } from 'jsdom';
import xpath from 'xpath';
import { account, check, event, fresh } from './checks.mjs';

const { window } = new JSDOM('<!doctype html>', { url: account.root });
// jsdom's XPath takes no resolver of namespaces that is a function, as the library's is.
window.Document.prototype.evaluate = (expression, node, resolver, type) => {
  const lookup = typeof resolver === 'function' ? { lookupNamespaceURI: resolver } : resolver;
  const found = xpath.evaluate(expression, node, lookup, type, null);
  const next = found.iterateNext.bind(found);
  found.iterateNext = () => next() ?? null;
  return found;
};
const { document, DOMParser, XMLSerializer, Node } = window;
for (const [name, value] of Object.entries({ window, document, DOMParser, XMLSerializer, Node, XPathResult: xpath.XPathResult }))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });

const { default: axios } = await import('@nextcloud/axios');
axios.defaults.auth = { username: account.username, password: account.password };
axios.defaults.adapter = 'http';
const library = await import('@nextcloud/cdav-library');
const DavClient = library.default?.default ?? library.default ?? createRequire(import.meta.url)('@nextcloud/cdav-library');
const client = new DavClient({ rootUrl: account.root });

const connected = await check('connects and finds the home', async () => {
  await client.connect({ enableCalDAV: true });
  assert.ok(client.calendarHomes.length > 0);
  return true;
});
if (connected) {
  const [home] = client.calendarHomes;
  const range = [new Date('2027-01-01'), new Date('2027-01-02')];
  await check('knows the address of the person', () => assert.match(client.currentUserPrincipal.email ?? '', /@/));
  const calendar = await check('makes a calendar with colour and components', () =>
    home.createCalendarCollection(fresh('cdav'), '#ff0000', ['VEVENT', 'VTODO']));
  await check('lists calendars', async () => assert.ok((await home.findAllCalendars()).length > 1));
  await check('finds inbox and outbox', async () => {
    assert.equal((await home.findAllScheduleInboxes()).length, 1);
    assert.equal((await home.findAllScheduleOutboxes()).length, 1);
  });
  if (calendar) {
    await check('sees that it may write', () => assert.equal(calendar.isWriteable(), true));
    await check('reads the colour back', () => assert.match(calendar.color, /^#ff0000/i));
    const object = await check('puts an event and reads it', () => calendar.createVObject(event(fresh('cdav'), 'One')));
    await check('finds it by its time', async () => assert.equal((await calendar.findByTypeInTimeRange('VEVENT', ...range)).length, 1));
    await check('changes it', async () => {
      object.data = object.data.replace('SUMMARY:One', 'SUMMARY:Two');
      await object.update();
      const [found] = await calendar.findByTypeInTimeRange('VEVENT', ...range);
      assert.match(found.data, /SUMMARY:Two/);
    });
    await check('renames the calendar', async () => {
      calendar.displayname = 'Renamed';
      await calendar.update();
      assert.ok((await home.findAllCalendars()).some((each) => each.displayname === 'Renamed'));
    });
    await check('deletes the event', async () => {
      await object.delete();
      assert.equal((await calendar.findByTypeInTimeRange('VEVENT', ...range)).length, 0);
    });
    await check('deletes the calendar', async () => {
      await calendar.delete();
      assert.ok(!(await home.findAllCalendars()).some((each) => each.url === calendar.url));
    });
  }
}
