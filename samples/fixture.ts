import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../infra/root.ts';

/** The conversation id in every fixture and in every page's example. */
export const CONVERSATION = 'KpQx-polyai-0001';

/**
 * A delivery of a CRM, as a file of samples/fixtures/<crm>/. The body is `text`, or the JSON of `body`.
 */
export type Fixture = {
  /** The source of the payload, and what was changed in it. */
  source: string;
  /** Settings of the connection other than `crm` and `polyai`. */
  connection?: Record<string, unknown>;
  headers?: Record<string, string>;
  /** Without the question mark. */
  query?: string;
  /** ISO 8601: when it arrives, if that matters. */
  now?: string;
  body?: unknown;
  text?: string;
  /** The result of `readDelivery`, or the code of a refusal. */
  expected: ({ closes: unknown[]; ignored: string[] } & Record<string, unknown>) | { refused: string };
};

/** The names of a CRM's fixtures; none where the folder is missing, so that a test can say what the CRM lacks. */
export function fixtureNames(crm: string): string[] {
  const folder = join(ROOT, 'samples/fixtures', crm);
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

export function readFixture(crm: string, name: string): Fixture {
  return JSON.parse(readFileSync(join(ROOT, 'samples/fixtures', crm, name), 'utf8'));
}

export function textOf({ text, body }: Fixture): string {
  return text ?? JSON.stringify(body);
}
