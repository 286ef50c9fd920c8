import { describe, expect, it } from 'vitest';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import type { Content } from '../../../functions/delivery.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { type Fixture, fixtureNames, readFixture, textOf } from '../../../samples/fixture.ts';
import { contentOf } from '../../support/content.ts';
import { connectionOf } from '../../support/crm.ts';
import { type ReadReasons, readReasons } from '../../support/read-reasons.ts';

// Writes ids as people and templates write them, in place of the id in every fixture of every preset.

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

type Asked = ReadReasons['closes'];

/** Rewrites the id in every text of a delivery that is an id, or that is an address or JSON with an id. */
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
    // White space is put around the whole address.
    if (text.startsWith('https:') && written.includes(held)) return written.replace(held, () => text);
    return text.replace(held, () => escaped(text, written));
  };
  return again(value) as T;
}

/** The text, escaped if it goes inside JSON that is itself a text. */
function escaped(around: string, text: string): string {
  return around.trim().startsWith('{') ? JSON.stringify(text).slice(1, -1) : text;
}

/** The fixtures of a preset that close something, parsed, with their expected closes. */
function finished(name: string) {
  return fixtureNames(name).flatMap((file) => {
    const fixture = readFixture(name, file);
    if ('refused' in fixture.expected || fixture.expected.closes.length === 0) return [];
    const closes = fixture.expected.closes as Asked;
    return [{ file, fixture, closes, ids: idsOf(closes), ...reader(name, fixture) }];
  });
}

/** A fixture's content, and a function that reads any content as the fixture's connection does. */
function reader(name: string, fixture: Fixture) {
  const crm = CRMS[name] as Crm;
  const connection = toConnection(connectionOf(name, fixture.connection));
  const content = contentOf(connection, { ...fixture, text: textOf(fixture) });
  const now = fixture.now === undefined ? Date.now() : Date.parse(fixture.now);
  return { content, read: (given: Content) => readReasons(crm, connection, given, now) };
}

/** The ids as the delivery has them. A shared id may be the ticket's id in another form, so both are listed. */
function idsOf(closes: Asked): string[] {
  return closes.flatMap(({ conversationId, sharedId, crmRef }) =>
    conversationId !== undefined ? [conversationId] : [sharedId ?? '', crmRef ?? ''].filter(Boolean),
  );
}

describe.each(Object.keys(CRMS))('the ids of %s', (name) => {
  /** The fixtures in which the id was rewritten. An id in base64, or one that a selector cuts out, is not found. */
  function changed(write: (id: string) => string) {
    const all = finished(name).map((each) => ({ ...each, given: rewrite(each.content, each.ids, write) }));
    const found = all.filter(({ content, given }) => JSON.stringify(content) !== JSON.stringify(given));
    expect(found.length).toBeGreaterThan(0);
    return found;
  }

  it('are trimmed of white space and byte order marks', () => {
    for (const { file, given, read, closes } of changed((id) => `${AROUND}${id}${AROUND}`)) {
      expect({ file, closes: read(given).closes }).toEqual({ file, closes });
    }
  });

  it.each(INSIDE)('are unusable if there is white space inside: %j', (unseen) => {
    for (const { file, given, read } of changed((id) => `${id[0]}${unseen}${id}`)) {
      const { closes, ignored } = read(given);
      expect({ file, closes }).toEqual({ file, closes: [] });
      expect({ file, ignored }).toEqual({
        file,
        ignored: expect.arrayContaining(['unusable_conversation_id']),
      });
    }
  });

  it.each(NOTHING)('count as absent if a template was not filled: %j', (nothing) => {
    for (const { file, given, read, content, ids } of changed(() => nothing)) {
      const { closes, ignored } = read(given);
      const asked = idsOf(closes);
      expect({ file, asked }).toEqual({ file, asked: asked.filter((id) => ![...ids, nothing].includes(id)) });
      // Any id that is left belongs to another field or event.
      const own = read(content).ignored.includes('unusable_conversation_id');
      if (asked.length === 0)
        expect(ignored).toContain(own ? 'unusable_conversation_id' : 'no_conversation_id');
    }
  });
});
