import { compile } from '@jmespath-community/jmespath';
import type { VerifySettings } from '../functions/schemes/scheme.ts';
import { assign } from './plain-path.ts';

/**
 * Writes the time of signing into a JSON body, where the connection's `timestampSelector` reads it.
 *
 * @param at Unix milliseconds
 * @returns `undefined` when the connection reads no time there, the selector is not a plain path or the body is not JSON
 */
export function withTimeInBody(verify: VerifySettings, text: string, at: number): string | undefined {
  if (verify.scheme !== 'hmac' || verify.timestampSelector === undefined) return undefined;
  const times = { s: Math.floor(at / 1000), ms: at, iso: `${new Date(at).toISOString().slice(0, 19)}Z` };
  const content = { body: parsed(text), headers: {}, query: {} };
  const isWritten = assign(compile(verify.timestampSelector), times[verify.timestampUnit], content);
  return isWritten ? JSON.stringify(content.body) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
