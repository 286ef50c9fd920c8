type Child = Node | string | number | false | undefined;
type Properties = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

/** Makes an element. Text is always set as text, so nothing in a delivery can become markup. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties = {},
  ...children: (Child | Child[])[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (typeof value === 'function') element.addEventListener(key, value);
    else if (value === true) element.setAttribute(key, '');
    else if (value !== undefined && value !== false) element.setAttribute(key, String(value));
  }
  for (const child of children.flat()) {
    if (child !== undefined && child !== false)
      element.append(typeof child === 'number' ? `${child}` : child);
  }
  return element;
}

/** Replaces what an element contains. The focus and what was unfolded stay where they have an id. */
export function fill(parent: Element, ...children: (Child | Child[])[]): void {
  const focused = parent.contains(document.activeElement) ? document.activeElement?.id : undefined;
  const open = [...parent.querySelectorAll('details[open][id]')].map(({ id }) => id);
  const fresh = h('div', {}, ...children);
  for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute('open', '');
  parent.replaceChildren(...fresh.childNodes);
  if (focused) document.getElementById(focused)?.focus();
}

/** Text of a program: a request, a body or a line. JSON is indented. */
export function code(text: string, label: string): HTMLElement {
  return h('pre', { 'aria-label': label, role: 'group' }, pretty(text));
}

export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** A button that puts a text on the clipboard, and says so. */
export function copyButton(text: string, label: string): HTMLButtonElement {
  const button = h('button', { type: 'button', class: 'small' }, label);
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(text).catch(() => undefined);
    button.textContent = 'Copied';
    setTimeout(() => {
      button.textContent = label;
    }, 2000);
  });
  return button;
}

export const clock = (at: number) => new Date(at).toLocaleTimeString('en-GB');
