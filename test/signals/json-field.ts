/** The object that a log event's text holds, or undefined when it is not a JSON object. */
export function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The value that a selector of a metric filter (`$.users[0].id`) points to, or undefined when there is none.
 *
 * @throws when the selector is not one: `$`, then properties of `A-Z a-z 0-9 - _` and array indices.
 */
export function selectField(event: unknown, selector: string): unknown {
  if (!/^\$(\.[A-Za-z0-9_-]+|\[\d+\])+$/.test(selector)) {
    throw new Error(`${JSON.stringify(selector)} is not a selector like $.users[0].id`);
  }
  let value = event;
  for (const [, name, index] of selector.matchAll(/\.([A-Za-z0-9_-]+)|\[(\d+)\]/g)) {
    if (index !== undefined) value = Array.isArray(value) ? value[Number(index)] : undefined;
    else value = isObject(value) && Object.hasOwn(value, String(name)) ? value[String(name)] : undefined;
  }
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
