import { describe, expect, it } from 'vitest';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { type Content, readContent } from '../../../functions/delivery.ts';
import { type ReadResult, readDelivery } from '../../../functions/intake/read-delivery.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { delivery } from '../../../local/delivery.ts';
import { type Fixture, fixtureNames, readFixture, textOf } from '../../../local/fixture.ts';
import { connectionOf } from '../../support/crm.ts';

// Ids as people and templates write them, in the place of the id in every fixture of every preset and bus.

const AROUND = ['\u00a0', ' ', '\ufeff', '\t\n', '\u200b'].join('');
const INSIDE = [' ', '\u00a0', '\n', '\ufeff', '\u2028'];
const NOTHING = [
  '{{ticket.external_id}}',
  '$'.concat('{input.id}'),
  '$!{id}',
  '$esc.json($id)',
  'null',
  'None',
  '-',
  '  ',
];

type Asked = ReadResult['closes'];

/** Every text of a delivery that is an id, or an address or JSON with one, with the id written differently. */
function rewrite<T>(value: T, ids: readonly string[], write: (id: string) => string): T {
  const again = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(again);
    if (typeof each === 'object' && each !== null) {
      return Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, again(inner)]));
    }
    const id = ids.find((known) => String(each) === known);
    if (id !== undefined) return write(id);
    const held = ids.find((known) => known.length > 8 && typeof each === 'string' && each.includes(known));
    if (held === undefined) return each;
    const [text, written] = [each as string, write(held)];
    // An address is padded as a whole.
    if (text.startsWith('https:') && written.includes(held)) return written.replace(held, () => text);
    return text.replace(held, () => escaped(text, written));
  };
  return again(value) as T;
}

/** A text as it stands inside JSON that is itself a text. */
function escaped(around: string, text: string): string {
  return around.trim().startsWith('{') ? JSON.stringify(text).slice(1, -1) : text;
}

/** The deliveries of a preset that close something, as they are read, with what they ask for. */
function finished(name: string) {
  return fixtureNames(name).flatMap((file) => {
    const fixture = readFixture(name, file);
    if ('refused' in fixture.expected || fixture.expected.closes.length === 0) return [];
    const closes = fixture.expected.closes as Asked;
    return [{ file, fixture, closes, ids: idsOf(closes), ...contentOf(name, fixture) }];
  });
}

/** Whether Twilio would put the hash of the body into the address: it does for JSON. */
function isHashed(name: string, fixture: Fixture): boolean {
  return name === 'twilio' && /^[[{]/.test(textOf(fixture));
}

function contentOf(name: string, fixture: Fixture) {
  const crm = CRMS[name] as Crm;
  const connection = toConnection(connectionOf(name, fixture.connection));
  const headers = Object.entries(fixture.headers ?? {}).map(([key, value]) => [key.toLowerCase(), value]);
  const received = delivery({
    headers: Object.fromEntries(headers),
    // Twilio's body is JSON where the address has its hash.
    query: [fixture.query, isHashed(name, fixture) && `bodySHA256=${'0'.repeat(64)}`]
      .filter(Boolean)
      .join('&'),
    body: textOf(fixture),
  });
  const content = readContent(received, crm.parse, connection);
  const now = fixture.now === undefined ? Date.now() : Date.parse(fixture.now);
  return { content, read: (given: Content) => readDelivery(crm, connection, given, now) };
}

/** As they stand in the delivery: an id that is looked up may be the ticket's, written otherwise. */
function idsOf(closes: Asked): string[] {
  return closes.flatMap(({ conversationId, sharedId, crmRef }) =>
    conversationId !== undefined ? [conversationId] : [sharedId ?? '', crmRef ?? ''].filter(Boolean),
  );
}

describe.each(Object.keys(CRMS))('the ids of %s', (name) => {
  /** Fixtures in which the id is readable; one in base64 or one that a selector cuts out is not. */
  function changed(write: (id: string) => string) {
    const all = finished(name).map((each) => ({ ...each, given: rewrite(each.content, each.ids, write) }));
    const found = all.filter(({ content, given }) => JSON.stringify(content) !== JSON.stringify(given));
    expect(found.length).toBeGreaterThan(0);
    return found;
  }

  it('are read without the white space and byte order marks around them', () => {
    for (const { file, given, read, closes } of changed((id) => `${AROUND}${id}${AROUND}`)) {
      expect({ file, closes: read(given).closes }).toEqual({ file, closes });
    }
  });

  it.each(INSIDE)('are unusable with white space inside: %j', (unseen) => {
    for (const { file, given, read } of changed((id) => `${id[0]}${unseen}${id}`)) {
      const { closes, ignored } = read(given);
      expect({ file, closes }).toEqual({ file, closes: [] });
      expect({ file, ignored }).toEqual({
        file,
        ignored: expect.arrayContaining(['unusable_conversation_id']),
      });
    }
  });

  it.each(NOTHING)('are none where a template was not filled: %j', (nothing) => {
    for (const { file, given, read, content, ids } of changed(() => nothing)) {
      const { closes, ignored } = read(given);
      const asked = idsOf(closes);
      expect({ file, asked }).toEqual({ file, asked: asked.filter((id) => ![...ids, nothing].includes(id)) });
      // What is left is another field's or another event's.
      const own = read(content).ignored.includes('unusable_conversation_id');
      if (asked.length === 0)
        expect(ignored).toContain(own ? 'unusable_conversation_id' : 'no_conversation_id');
    }
  });
});
