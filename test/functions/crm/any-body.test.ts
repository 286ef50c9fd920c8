import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isId } from '../../../functions/conversation-id.ts';
import type { Crm } from '../../../functions/crm/crm.ts';
import { CRMS } from '../../../functions/crm/index.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { delivery } from '../../../samples/delivery.ts';
import { readFixture, textOf } from '../../../samples/fixture.ts';
import { contentOf } from '../../support/content.ts';
import { connectionOf } from '../../support/crm.ts';
import { readReasons } from '../../support/read-reasons.ts';

type Path = (string | number)[];

/** The paths of all values in a body, at every depth. */
function pathsIn(value: unknown): Path[] {
  const keys = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return keys.flatMap(([key, inner]) => [[key], ...pathsIn(inner).map((path) => [key, ...path])]);
}

/** A copy of a body with the value at a path replaced. */
function replaced(body: unknown, [key, ...rest]: Path, value: unknown): unknown {
  if (key === undefined) return value;
  const copy = (Array.isArray(body) ? [...body] : { ...(body as object) }) as Record<string, unknown>;
  copy[key] = replaced(copy[key], rest, value);
  return copy;
}

describe.each(Object.keys(CRMS))('a body of %s', (name) => {
  const crm = CRMS[name] as Crm;
  const fixture = readFixture(name, 'finished.json');
  const connection = toConnection(connectionOf(name, fixture.connection));
  const valid = contentOf(connection, { ...fixture, text: textOf(fixture) });
  const oneChange = fc
    .tuple(fc.constantFrom(...pathsIn(valid.body)), fc.jsonValue({ maxDepth: 2 }))
    .map(([path, value]) => replaced(valid.body, path, value));
  const bodies = fc.oneof(fc.jsonValue(), oneChange);

  it('is read without an error, whatever it is, and gives only ids that can be sent', () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const content = { ...valid, body };
        const { closes, ignored } = readReasons(crm, connection, content);
        for (const { conversationId, sharedId } of closes)
          expect(isId(conversationId ?? sharedId)).toBe(true);
        const isEmpty = crm.read(content, connection).length === 0;
        expect(closes.length + ignored.length > 0).toBe(!isEmpty);
        crm.isFrom?.('acme', content);
      }),
    );
  });

  it('is read without an error beside any headers and query', () => {
    fc.assert(
      fc.property(bodies, fc.dictionary(fc.string(), fc.string()), (body, headers) => {
        const content = { body, headers, query: headers };
        expect(() => readReasons(crm, connection, content)).not.toThrow();
        crm.isFrom?.('acme', content);
        crm.greet?.(delivery({ headers, method: 'GET' }));
        const sent = { headers, body: JSON.stringify(body), query: new URLSearchParams(headers).toString() };
        for (const method of ['GET', 'POST']) crm.confirm?.(delivery({ ...sent, method }), ['secret']);
      }),
    );
  });
});
