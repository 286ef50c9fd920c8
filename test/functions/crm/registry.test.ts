import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CRMS } from '../../../functions/crm/index.ts';
import type { ConnectionConfiguration } from '../../../infra/config/load.ts';
import { toConnection } from '../../../infra/config/to-connection.ts';
import { ROOT } from '../../../infra/root.ts';
import { fixtureNames, readFixture, textOf } from '../../../samples/fixture.ts';
import { configurationOf } from '../../support/configuration.ts';
import { contentOf } from '../../support/content.ts';
import { connectionOf } from '../../support/crm.ts';
import { blocks, filled } from '../../support/page-blocks.ts';
import { readReasons } from '../../support/read-reasons.ts';

// What must hold for every CRM in the index. Whoever adds a CRM adds its files; these tests find them.

const REQUIRED = ['finished.json', 'malformed.json', 'no-id.json', 'not-finished.json', 'reopened.json'];

type Given = {
  connection?: Record<string, unknown>;
  headers?: Record<string, string>;
  query?: string;
  now?: string;
  text: string;
};

/** What the intake reads from the bytes of a delivery that was already verified. */
function readAs(configuration: ConnectionConfiguration, given: Given): unknown {
  const connection = toConnection(configuration);
  const { now = new Date().toISOString() } = given;
  const crm = CRMS[configuration.crm];
  try {
    return readReasons(crm, connection, contentOf(connection, given), Date.parse(now));
  } catch {
    return { refused: 'body_unreadable' };
  }
}

it('knows how long a CRM waits for an answer, if it waits for one', () => {
  for (const [name, { bus, answerWithinMs }] of Object.entries(CRMS)) {
    expect({ name, isKnown: answerWithinMs !== undefined }).toEqual({ name, isKnown: bus === undefined });
    expect(answerWithinMs ?? 500).toBeGreaterThanOrEqual(500);
  }
  expect(CRMS.intercom?.answerWithinMs).toBe(500);
  expect(CRMS.hubspot?.answerWithinMs).toBe(5000);
});

it('waits for the signing secrets that these vendors issue, and generates the others', () => {
  const waiting = Object.keys(CRMS).filter((name) => CRMS[name]?.vendorIssuesSecret);
  expect(waiting).toEqual([
    'chatwoot',
    'dixa',
    'freshchat',
    'front',
    'help-scout',
    'hubspot',
    'intercom',
    'kustomer',
    'standard-webhooks',
    'twilio',
    'zendesk',
    'zoom-contact-center',
  ]);
});

describe.each(Object.keys(CRMS))('%s', (name) => {
  const page = join(ROOT, 'docs/crm', `${name}.md`);

  it('has the fixtures that every CRM must have', () => {
    expect(fixtureNames(name)).toEqual(expect.arrayContaining(REQUIRED));
  });

  it.each(fixtureNames(name))('reads its fixture as expected: %s', (file) => {
    const fixture = readFixture(name, file);
    expect(fixture.source).toMatch(/\w{4}/);
    const connection = connectionOf(name, fixture.connection);
    expect(readAs(connection, { ...fixture, text: textOf(fixture) })).toEqual(fixture.expected);
  });

  it('has an entry in the schema for editors', () => {
    const schema = readFileSync(join(ROOT, 'connections.schema.json'), 'utf8');
    expect(schema).toContain(`"const": "${name}"`);
  });

  it('has a page and a row in the table of pages', () => {
    expect(existsSync(page)).toBe(true);
    const table = readFileSync(join(ROOT, 'docs/crm/README.md'), 'utf8');
    expect(table).toContain(`](${name}.md)`);
  });

  it('has a page that links to what two people exchange if one has the CRM and one has AWS', () => {
    expect(readFileSync(page, 'utf8')).toContain('](README.md#two-people)');
    const guides = readFileSync(join(ROOT, 'docs/crm/README.md'), 'utf8');
    expect(guides).toContain('\n## Two people\n');
    expect(guides).toContain('`<WebhooksUrl>` is an output of the stack');
  });

  it('has a page whose example connection and sample body are accepted', () => {
    const configurations = blocks(page, 'connections').map(({ text }) => configurationOf(text).connections);
    const [connection] = configurations.flatMap((connections) => Object.values(connections));
    const samples = blocks(page, 'sample');
    expect(connection).toMatchObject({ crm: name });
    expect(samples.length).toBeGreaterThan(0);
    for (const { info, text } of samples) {
      const headers = Object.fromEntries(
        info
          .split(' ')
          .filter(Boolean)
          .map((pair) => pair.split(/=(.*)/s).slice(0, 2)),
      );
      const demand = readAs(connection as ConnectionConfiguration, { headers, text: filled(text.trim()) });
      expect(demand).toMatchObject({ closes: [expect.anything()] });
    }
  });
});
