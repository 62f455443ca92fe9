// What the scripts share: the account to use, a line of JSON for each check, and a small event.
import { randomUUID } from 'node:crypto';

export const account = {
  root: process.env.SUBJECT_ROOT,
  username: process.env.SUBJECT_USER,
  password: process.env.SUBJECT_PASSWORD,
};

export const authorization = `Basic ${Buffer.from(`${account.username}:${account.password}`).toString('base64')}`;

export const fresh = (prefix) => `${prefix}-${randomUUID().slice(0, 8)}`;

// Runs one check; it fails when `work` throws. What it returned comes back, undefined after a failure.
export async function check(name, work) {
  let why = null;
  let result;
  try {
    result = await work();
  } catch (error) {
    why = String(error?.message ?? error).replace(/\s+/g, ' ').slice(0, 300) || 'it failed';
  }
  console.log(JSON.stringify({ check: name, why }));
  return result;
}

// An hour from 10:00 UTC on a day of January 2027.
export function event(uid, summary, { day = 1, more = [] } = {}) {
  const date = `202701${String(day).padStart(2, '0')}`;
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Example//Device//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    'DTSTAMP:20260101T000000Z',
    `DTSTART:${date}T100000Z`,
    `DTEND:${date}T110000Z`,
    `SUMMARY:${summary}`,
    ...more,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}
