import type { HmacSettings } from './scheme.ts';

type Named = Pick<HmacSettings, 'header' | 'signatureParameter' | 'timestampParameter' | 'timestampHeader'>;

/** A sender lists one signature for each of its keys. */
const MAX_SIGNATURES = 10;

/**
 * The signatures of a delivery: the whole header, or the parameters of that name in a header such as `t=…,v1=…`. A
 * semicolon may separate them, too.
 *
 * @param headers names in lower case
 * @returns `undefined` when the header has more signatures than any sender lists
 */
export function signaturesIn(
  { header, signatureParameter }: Named,
  headers: Record<string, string>,
): string[] | undefined {
  const value = headers[header];
  if (!value) return [];
  const signatures = signatureParameter === undefined ? [value] : parametersOf(value, signatureParameter);
  return signatures.length > MAX_SIGNATURES ? undefined : signatures;
}

/**
 * The timestamp beside the body: a parameter of the signature's header, or a header.
 *
 * @returns `undefined` when it is missing, or the parameter is given twice
 */
export function timestampIn(
  { header, timestampParameter, timestampHeader = '' }: Named,
  headers: Record<string, string>,
): string | undefined {
  if (timestampParameter === undefined) return headers[timestampHeader];
  const given = parametersOf(headers[header] ?? '', timestampParameter);
  return given.length === 1 ? given[0] : undefined;
}

function parametersOf(header: string, name: string): string[] {
  return header.split(/[,;]/).flatMap((parameter) => {
    const [key, value = ''] = parameter.trim().split(/=(.*)/s);
    return key === name ? [value] : [];
  });
}
