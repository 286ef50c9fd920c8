/** A delivery as somebody has captured it. */
export type Capture = {
  body: string;
  /** Names in lower case. Absent: only the body was captured, so nothing can be verified. */
  headers?: Record<string, string>;
  /** Without the question mark. */
  query: string;
};

/**
 * Reads a captured delivery: a body; a raw HTTP request, with or without its first line; or a JSON object with
 * `headers` and `body`, as request inspectors export it.
 */
export function parseCapture(text: string): Capture {
  return parseExport(text) ?? parseRequest(text) ?? { body: text, query: '' };
}

function parseExport(text: string): Capture | undefined {
  try {
    const { headers, body, query = '' } = JSON.parse(text);
    if (typeof headers !== 'object' || headers === null || body === undefined) return undefined;
    return {
      // An object was parsed by whatever captured it, so its bytes may not be those that were signed.
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: lowered(Object.entries(headers).map(([name, value]) => [name, [value].flat().join(',')])),
      query: String(query).replace(/^\?/, ''),
    };
  } catch {
    return undefined;
  }
}

const REQUEST_LINE = /^[A-Z]+ (\S+) HTTP\/[\d.]+$/;
const HEADER = /^([!#$%&'*+.^`|~\w-]+):[ \t]*(.*)$/;

function parseRequest(text: string): Capture | undefined {
  const [, head, body = ''] = /^([\s\S]*?)\r?\n\r?\n([\s\S]*)$/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const [first = '', ...rest] = head.split(/\r?\n/);
  const target = REQUEST_LINE.exec(first)?.[1];
  const headers = (target === undefined ? [first, ...rest] : rest).map((line) => HEADER.exec(line));
  if (!headers.every((match) => match !== null)) return undefined;
  return {
    body,
    headers: lowered(headers.map(([, name = '', value = '']) => [name, value.trim()])),
    query: target?.split('?')[1] ?? '',
  };
}

/** A header that was sent twice is joined with a comma, as API Gateway does. */
function lowered(headers: [string, string][]): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of headers) {
    const known = result[name.toLowerCase()];
    result[name.toLowerCase()] = known === undefined ? value : `${known},${value}`;
  }
  return result;
}
