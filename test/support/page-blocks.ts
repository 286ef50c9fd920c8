import { readFileSync } from 'node:fs';
import { CONVERSATION } from '../../samples/fixture.ts';

type Block = { language: string; info: string; text: string };

/** The fenced blocks of a page whose info string has this word after the language. @param page its path */
export function blocks(page: string, kind: string): Block[] {
  const fenced = readFileSync(page, 'utf8').matchAll(/^ *```(\S+) (\S+) ?(.*)\n([\s\S]*?)^ *```/gm);
  return [...fenced].flatMap(([, language = '', mark = '', info = '', text = '']) =>
    mark === kind ? [{ language, info, text }] : [],
  );
}

/** A page's template with its placeholders filled, as the CRM sends it. */
export function filled(template: string): string {
  return template.replace(/\{\{[^{}]*\}\}/g, CONVERSATION);
}
