export type Token = { kind: string; text: string; at: number };

/** A language by its kinds of token, tried in order. The kind `space` is skipped. */
export type Grammar = { name: string; kinds: readonly (readonly [kind: string, pattern: RegExp])[] };

/** A cursor over the tokens of one text. Every error names the language, the text and the position. */
export class Tokens {
  readonly #tokens: Token[];
  readonly #grammar: Grammar;
  readonly text: string;
  #next = 0;

  constructor(text: string, grammar: Grammar) {
    this.text = text;
    this.#grammar = grammar;
    this.#tokens = this.#split();
  }

  #split(): Token[] {
    const tokens: Token[] = [];
    for (let at = 0; at < this.text.length; ) {
      const token = this.#tokenAt(at);
      if (token.kind !== 'space') tokens.push(token);
      at += token.text.length;
    }
    return tokens;
  }

  #tokenAt(at: number): Token {
    for (const [kind, pattern] of this.#grammar.kinds) {
      const found = new RegExp(pattern.source, 'y');
      found.lastIndex = at;
      const text = found.exec(this.text)?.[0];
      if (text) return { kind, text, at };
    }
    return this.#fail(`unknown syntax at ${JSON.stringify(this.text.slice(at, at + 20))}`);
  }

  peek(ahead = 0): Token {
    return this.#tokens[this.#next + ahead] ?? { kind: 'end', text: '', at: this.text.length };
  }

  next(): Token {
    const token = this.peek();
    this.#next += 1;
    return token;
  }

  is(...texts: string[]): boolean {
    return texts.includes(this.peek().text);
  }

  accept(...texts: string[]): string | undefined {
    return this.is(...texts) ? this.next().text : undefined;
  }

  expect(...texts: string[]): string {
    return this.accept(...texts) ?? this.fail(`expected ${texts.join(' or ')}`);
  }

  /** The text of the next token, which must be of this kind. */
  take(kind: string): string {
    return this.peek().kind === kind ? this.next().text : this.fail(`expected a ${kind}`);
  }

  end(): void {
    if (this.peek().kind !== 'end') this.fail('expected the end');
  }

  /** An error about the whole text. */
  invalid(message: string): never {
    return this.#fail(message);
  }

  /** An error about the next token. */
  fail(message: string): never {
    const { kind, text, at } = this.peek();
    return this.#fail(`${message}, found ${kind === 'end' ? 'the end' : JSON.stringify(text)} at ${at}`);
  }

  #fail(message: string): never {
    throw new Error(`${this.#grammar.name}: ${message}, in: ${this.text}`);
  }

  /** One level of left-associative binary operators. */
  binary<T>(operators: string[], operand: () => T, join: (operator: string, left: T, right: T) => T): T {
    let left = operand();
    for (let found = this.accept(...operators); found; found = this.accept(...operators)) {
      left = join(found, left, operand());
    }
    return left;
  }

  /** Items with commas between them, up to the closing token, which is consumed. */
  list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    if (this.accept(close)) return items;
    do items.push(item());
    while (this.accept(','));
    this.expect(close);
    return items;
  }
}

/** The value of a quoted string: a backslash keeps the character after it. */
export function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** A regular expression that matches exactly this text. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
