import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { ROOT } from '../../infra/root.ts';

/** Where Chromium may be. The tests of the page are skipped where it is not. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export const CHROMIUM = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));

/** Runs `npm start` as a user does. @returns the process, and the address of its page */
export async function startWithPage(...args: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ['scripts/start.ts', ...args], { cwd: ROOT });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
        const found = /Look at it:\n\s+(http:\S+)/.exec(output)?.[1];
        if (found) resolve(found);
      });
    child.on('exit', () => reject(new Error(`npm start ended:\n${output}`)));
  });
  return { child, url };
}
