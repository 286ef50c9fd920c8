import { isGiven, toConversationId } from '../../functions/conversation-id.ts';
import type { Content } from '../../functions/delivery.ts';

/** PolyAI's documented forms of ids, and the address of a conversation in Agent Studio. */
const SHAPE =
  /^(CONV-|WEBCHAT_|CHAT_|AS_CHAT_|conv_)[\w-]+$|^https:\/\/studio\.[\w.-]*poly\.ai\/.+\/conversations\/[^/]+$/;
const FIELD = /poly.?ai|conversation.?id|external.?id|chat.?id/i;

/** A value that may be a conversation id, and the selector that reads it. */
export type Candidate = { selector: string; value: string; hasShape: boolean };

/** Whether a value has one of the forms that PolyAI documents. Others exist, so this only ranks. */
export function looksLikeId(value: unknown): boolean {
  return typeof value === 'string' && SHAPE.test(value.trim());
}

/**
 * Finds every value that looks like a conversation id, by its form or by the name of its field. The likeliest comes
 * first.
 *
 * @param seen what selectors are applied to
 */
export function candidates(seen: Partial<Content> | Record<string, unknown>): Candidate[] {
  const found: Candidate[] = [];
  walk(seen, '', '', found);
  return found.sort(
    (a, b) => Number(b.hasShape) - Number(a.hasShape) || a.selector.length - b.selector.length,
  );
}

function walk(value: unknown, selector: string, field: string, found: Candidate[]): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      walk(item, `${selector}${place(item, index)}`, labelOf(item) ?? field, found);
    });
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, each] of Object.entries(value)) {
      // A filter gives a list, and what follows it applies to each of its items.
      const next = selector === '' ? identifier(key) : `${selector}.${identifier(key)}`;
      walk(each, next, key === 'value' ? field : key, found);
    }
  } else if (typeof value === 'string' && isGiven(value) && toConversationId(value) !== undefined) {
    const hasShape = looksLikeId(value);
    if (hasShape || FIELD.test(field)) found.push({ selector: finish(selector), value, hasShape });
  }
}

/** The place of an item of a list: by what names it, as custom fields have it, or else by its number. */
function place(item: unknown, index: number): string {
  const key = keyOf(item);
  if (key === undefined) return `[${index}]`;
  const label = (item as Record<string, unknown>)[key];
  return `[?${identifier(key)}==\`${JSON.stringify(label)}\`]`;
}

const LABELS = ['id', 'name', 'key', 'title', 'field', 'fieldId', 'slug'];

function keyOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || !('value' in item)) return undefined;
  return LABELS.find((label) =>
    ['string', 'number'].includes(typeof (item as Record<string, unknown>)[label]),
  );
}

function labelOf(item: unknown): string | undefined {
  const key = keyOf(item);
  return key === undefined ? undefined : String((item as Record<string, unknown>)[key]);
}

function identifier(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : JSON.stringify(key);
}

/** A filter gives a list: the first item is the value. */
function finish(selector: string): string {
  return selector.includes('[?') ? `${selector} | [0]` : selector;
}
