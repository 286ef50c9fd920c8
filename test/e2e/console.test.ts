import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../infra/root.ts';
import { CHROMIUM, startWithPage } from '../support/browser.ts';
import { SMALLEST, writeConnections } from '../support/configuration.ts';

// The page of `npm start` in a real Chromium. UPDATE_SCREENSHOTS=1 also writes the README's pictures.

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const VIEWS = ['overview', 'send', 'story', 'weather', 'connections', 'cleanup'];
/** What is there when a view that asks the server has its answer. */
const FILLED: Record<string, string> = { 'story/1': '.verdict', connections: 'dl', overview: '.flow' };
const MISPLACED = {
  type: 'zen:event-type:ticket.status_changed',
  event: { current: 'SOLVED', previous: 'OPEN' },
  detail: { id: '1', status: 'SOLVED', custom: { polyai: 'CONV-1234567890' } },
};
const MAX_BYTES = 150_000;

describe.skipIf(!CHROMIUM)('the console, in Chromium', () => {
  let child: ChildProcess;
  let url: string;
  let browser: Browser;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    const cleanup = { schedule: 'rate(1 hour)', channels: ['CHAT'], dryRun: false };
    const { support } = SMALLEST.polyai;
    const config = writeConnections({ ...SMALLEST, polyai: { support: { ...support, cleanup } } });
    ({ child, url } = await startWithPage('--config', config));
    browser = await chromium.launch({
      ...(CHROMIUM && { executablePath: CHROMIUM }),
      args: ['--no-sandbox'],
    });
  });

  afterAll(async () => {
    await browser?.close();
    child?.kill('SIGTERM');
    if (child?.exitCode === null) await once(child, 'exit');
  });

  beforeEach(async () => {
    complaints = [];
    page = await browser.newPage({ viewport: { width: 1100, height: 720 } });
    page.on('pageerror', ({ message }) => complaints.push(message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:'))
        complaints.push(request.url());
    });
    await open('overview');
  });

  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });

  async function open(view: string): Promise<void> {
    await page.goto(`${url}#/${view}`);
    await page
      .locator(FILLED[view] ?? 'h1')
      .first()
      .waitFor();
  }

  /** Waits, and sends more forged deliveries: the emulator may keep the receiver's line until its next invocation. */
  async function waitWhileSending(wanted: Locator): Promise<void> {
    const other = await browser.newPage();
    await other.goto(`${url}#/overview`);
    const timer = setInterval(
      () =>
        void other
          .getByRole('button', { name: 'Send a forged one' })
          .click()
          .catch(() => undefined),
      3000,
    );
    await wanted.waitFor().finally(() => clearInterval(timer));
    await other.close();
  }

  async function picture(name: string): Promise<void> {
    if (!process.env.UPDATE_SCREENSHOTS) return;
    const folder = join(ROOT, 'docs/images');
    mkdirSync(folder, { recursive: true });
    await page.screenshot({ path: join(folder, `console-${name}.png`) });
  }

  async function violations(): Promise<string[]> {
    await page.evaluate('document.getAnimations().forEach((each) => each.finish())');
    // The page's own policy forbids a script of another place, so axe is evaluated and not inserted.
    await page.evaluate(readFileSync(AXE, 'utf8'));
    const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      'axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })',
    );
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  }

  it('shows the delivery that npm start has sent, and its story', async () => {
    await page.locator('.rows a', { hasText: 'Genuine' }).last().click();
    await page.locator('.result').getByText('Done: closed').waitFor();
    await page.getByText('The proof is right.').waitFor();
    expect(await page.locator('main').innerText()).toContain('"success": true');
    expect(await page.locator('main').innerText()).toMatch(/x-api-key: \(hidden\)/);
    await picture('story');
  });

  it('shows why a forged delivery was refused', async () => {
    await page.getByRole('button', { name: 'Send a forged one' }).click();
    await page.getByText('Refused: signature mismatch').first().waitFor();
    await picture('overview');
    await page.locator('.rows a', { hasText: 'Forged' }).first().click();
    await waitWhileSending(page.getByText('Cause: refused'));
    const text = await page.locator('main').innerText();
    expect(text).toContain('signature_mismatch');
    expect(text).toContain('PolyAI was not called.');
  });

  it.each([
    ['Not finished', 'Ignored: not finished'],
    ['Without an id', 'Ignored: no conversation id'],
  ])('sends a delivery that is %s', async (kind, result) => {
    await open('send');
    await page.getByLabel(kind).check();
    await page.getByRole('button', { name: 'Send', exact: true }).click();
    await page.locator('.result').getByText(result).waitFor();
  });

  it('signs a changed body again, or leaves the old signature on it', async () => {
    for (const [isKept, result] of [
      [false, 'Done: closed'],
      [true, 'Refused: signature mismatch'],
    ] as const) {
      await open('send');
      const body = page.getByLabel('Body', { exact: true });
      await expect.poll(() => body.inputValue()).toContain('external_id');
      await body.fill((await body.inputValue()).replace('ticketinfo', 'changed'));
      if (isKept) await page.getByLabel('Do not sign a changed body again').check();
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await page.locator('.result').getByText(result).waitFor();
      await open('overview');
    }
  });

  it('shows a close that waits while PolyAI is down, and that is closed after it', async () => {
    await open('weather');
    await page.getByRole('button', { name: '500' }).click();
    await page.locator('#polyai-error[aria-pressed=true]').waitFor();
    await open('overview');
    await page.getByRole('button', { name: 'Send a genuine delivery' }).click();
    await page.getByText('Waits: unavailable').first().waitFor();
    await open('weather');
    await page.getByRole('button', { name: 'Up PolyAI' }).click();
    await page.locator('#polyai-up[aria-pressed=true]').waitFor();
    await page.locator('.rows a').first().getByText('Done: closed').waitFor({ timeout: 60_000 });
  });

  it('keeps a close on the queue while the worker is off', async () => {
    await open('weather');
    await page.getByRole('switch', { name: 'The worker is off' }).click();
    await page.locator('#switch-workerOff[aria-checked=true]').waitFor();
    await open('overview');
    await page.getByRole('button', { name: 'Send a genuine delivery' }).click();
    await page.locator('.rows a').first().getByText('Queued').waitFor();
    await open('weather');
    await page.getByRole('switch', { name: 'The worker is off' }).click();
    await page.locator('.rows a').first().getByText('Done: closed').waitFor({ timeout: 60_000 });
  });

  it('answers 503 while Secrets Manager fails, and recovers', async () => {
    const toggle = page.getByRole('switch', { name: 'Secrets Manager fails' });
    await open('weather');
    await toggle.click();
    await page.locator('#switch-secretsFail[aria-checked=true]').waitFor();
    await open('overview');
    await page.getByRole('button', { name: 'Send a genuine delivery' }).click();
    await page.locator('.rows a').first().getByText('Refused: secret').waitFor();
    await open('weather');
    await toggle.click();
    await page.locator('#switch-secretsFail[aria-checked=false]').waitFor();
    await open('overview');
    await page.getByRole('button', { name: 'Send a genuine delivery' }).click();
    await page.locator('.rows a').first().getByText('Done: closed').waitFor({ timeout: 60_000 });
  });

  it('computes an outage of a day without waiting', async () => {
    await open('weather');
    await page.getByRole('button', { name: 'Show the attempts of one close' }).click();
    await page.getByText('33 attempts fail.').waitFor();
  });

  it('proposes the selector of a conversation id at another place', async () => {
    await open('connections');
    await page.getByText('of the right form').waitFor();
    await page.getByLabel('A captured delivery').fill(JSON.stringify(MISPLACED));
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('"conversationId": "body.detail.custom.polyai"').waitFor();
    await picture('explain');
  });

  it('says which chats a cleanup would close, and runs it', async () => {
    await open('cleanup');
    await page.getByRole('button', { name: 'hours old' }).click();
    await page.getByText('Closed: nobody has written in it for too long.').first().waitFor();
    await page.getByText('Kept: somebody wrote in it not long ago.').first().waitFor();
    await page.getByRole('button', { name: 'Run it' }).click();
    await page.getByText('Queued 1 close').waitFor();
  });

  it('can be used with the keyboard alone', async () => {
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    await page.locator('main').focus();
    for (const _ of ['genuine', 'forged']) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    const newest = page.locator('.rows a').first();
    await newest.getByText('Refused: signature mismatch').waitFor();
    await newest.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'forged delivery' }).waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'has no fault that axe finds, in the %s colours',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const view of [...VIEWS, 'story/1']) {
        await open(view);
        expect({ view, violations: await violations() }).toEqual({ view, violations: [] });
      }
    },
  );

  it('fits the width of a phone', async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    for (const view of [...VIEWS, 'story/1']) {
      await open(view);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    }
  });

  it('is smaller than 150 KB', async () => {
    const sizes = await Promise.all(
      ['', 'main.js', 'style.css'].map(async (path) => (await (await fetch(url + path)).text()).length),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MAX_BYTES);
  });
});
