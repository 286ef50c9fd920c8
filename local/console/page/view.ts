import type { State } from '../view.ts';

/** One view of the page. It is built once, and told of every later state. */
export type View = { root: HTMLElement; update?: (state: State) => void };
