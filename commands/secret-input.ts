import { readFileSync } from 'node:fs';
import { password } from '@inquirer/prompts';
import type { Deployment } from '../operate/deployment.ts';
import { fieldsOf, readStored, type SecretOwner, secretOf } from '../operate/secret-change.ts';
import type { Context } from './command.ts';

/** Reads what to store: asked without echo on a terminal, else from standard input. Never from the command line. */
export async function askSecret(
  owner: SecretOwner,
  deployment: Deployment,
  context: Context,
): Promise<Record<string, unknown>> {
  if (!context.isTerminal) return secretOf(readFileSync(0, 'utf8'), owner, deployment);
  const { needed, optional } = fieldsOf(owner, deployment);
  const known = await readStored(owner, context.aws).catch(() => ({}) as Record<string, unknown>);
  const secret: Record<string, unknown> = { ...known };
  for (const field of [...needed, ...optional]) {
    const isKept = known[field] !== undefined && known[field] !== '';
    const hint = isKept ? ' (empty: keep it)' : optional.includes(field) ? ' (empty: none)' : '';
    const value = await askValue(`${field} of ${owner.owner}${hint}`, context);
    if (value !== '') secret[field] = value;
  }
  return secret;
}

/** Asks for one value without echo. */
export async function askValue(message: string, { signal }: Pick<Context, 'signal'>): Promise<string> {
  return (await password({ message, mask: false }, { signal, output: process.stderr })).trim();
}
