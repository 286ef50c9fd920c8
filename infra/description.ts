import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from './config/load.ts';
import type { FunctionName } from './function.ts';
import { ROOT } from './root.ts';

// What the commands read. It does not load the CDK, which takes longer than a command.

/** The key of the description in the template's `Metadata`. */
export const DESCRIPTION = 'PolyAIChatCloser';

/** A resource of the same template. `Ref` is its logical id, which `ListStackResources` maps to the real name. */
export type Reference = { Ref: string };

/** What a deployed stack says of itself, for the commands. It has no secret: the configuration never has one. */
export type Description = {
  /** Version of the package that made the template. */
  version: string;
  /** SHA-256 in hex of the configuration with every default filled in. */
  digest: string;
  configuration: Configuration;
  /** Name or ARN of each secret, by the name of its project or connection. */
  secrets: { polyai: Record<string, string>; connections: Record<string, string> };
  logs: Partial<Record<FunctionName | 'access', Reference>>;
  functions: Partial<Record<FunctionName, Reference>>;
};

/** SHA-256 in hex of a configuration. The order of its keys makes no difference. */
export function digestOf(configuration: Configuration): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(configuration)))
    .digest('hex');
}

/** Version of this package. */
export function packageVersion(): string {
  return JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')).version;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : Number(a > b)));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}
