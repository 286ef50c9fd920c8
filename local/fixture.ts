import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../infra/root.ts';

/** The conversation that every fixture and every page's example is about. */
export const CONVERSATION = 'KpQx-polyai-0001';

/**
 * A delivery of a CRM as a file of local/fixtures/<crm>/. With `text` the body is just that; with `body` it is
 * its JSON.
 */
export type Fixture = {
  /** Where the payload is from, and what was changed in it. */
  source: string;
  /** Settings of the connection besides `crm` and `polyai`. */
  connection?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Without the question mark. */
  query?: string;
  /** ISO 8601: when it arrives, where that decides. */
  now?: string;
  body?: unknown;
  text?: string;
  /** What readDelivery gives; or the code of a refusal. */
  expected: ({ closes: unknown[]; ignored: string[] } & Record<string, unknown>) | { refused: string };
};

/** The names of a CRM's fixtures; none where the folder is missing, so that a test can say what the CRM lacks. */
export function fixtureNames(crm: string): string[] {
  const folder = join(ROOT, 'local/fixtures', crm);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export function readFixture(crm: string, name: string): Fixture {
  return JSON.parse(readFileSync(join(ROOT, 'local/fixtures', crm, name), 'utf8'));
}

export function textOf({ text, body }: Fixture): string {
  return text ?? JSON.stringify(body);
}
