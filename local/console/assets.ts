import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

const PAGE = join(import.meta.dirname, 'page');

export type Asset = { type: string; content: string };

/** Reads the page, and bundles its program. @returns the files by their path */
export async function loadAssets(): Promise<Record<string, Asset>> {
  const [html, style, program] = await Promise.all([
    readFile(join(PAGE, 'index.html'), 'utf8'),
    readFile(join(PAGE, 'style.css'), 'utf8'),
    bundle(join(PAGE, 'main.ts')),
  ]);
  return {
    '/': { type: 'text/html; charset=utf-8', content: html },
    '/style.css': { type: 'text/css; charset=utf-8', content: style },
    '/main.js': { type: 'text/javascript; charset=utf-8', content: program },
  };
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
