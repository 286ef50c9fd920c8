import type { DeliveryView, Kind, PolyAIWeather } from '../view.ts';

export const KINDS: Record<Kind, { name: string; about: string }> = {
  genuine: { name: 'Genuine', about: 'Signed with the connection’s secret. The chat is closed.' },
  forged: { name: 'Forged', about: 'Signed with a made-up secret, as a stranger would. It is refused.' },
  not_finished: { name: 'Not finished', about: 'Signed, but the ticket is still open. It is ignored.' },
  without_id: {
    name: 'Without an id',
    about: 'Signed and finished, but the conversation id is empty. It is ignored.',
  },
  outside: { name: 'From elsewhere', about: 'Not sent by this page: only its log lines are known.' },
};

export const WEATHER: Record<PolyAIWeather, { name: string; about: string }> = {
  up: { name: 'Up', about: 'PolyAI answers as usual.' },
  slow: { name: 'Slow', about: 'Every answer takes four seconds.' },
  throttled: { name: '429', about: 'Too many requests, with Retry-After: 20. The worker waits that long.' },
  error: { name: '500', about: 'Internal error. The worker tries again: after 10 s, 10 s, 20 s, 40 s, …' },
  wrong_key: {
    name: 'Wrong key',
    about: 'PolyAI takes another key: 401. The worker tries again until the secret is corrected.',
  },
  unconfirmed: {
    name: 'success: false',
    about: 'A 200 that does not confirm the close. The worker asks again.',
  },
  hanging: { name: 'Hanging', about: 'No answer. The worker gives up each call after ten seconds.' },
};

/** What came of a delivery, in a few words, and how it looks. */
export function resultOf({ place, result, status, nextTryAt }: DeliveryView, now: number) {
  if (place === 'sending') return { look: 'wait', text: 'Being sent' };
  if (place === 'queue') return { look: 'wait', text: 'Queued' };
  if (place === 'waiting') {
    const seconds = Math.max(0, Math.round(((nextTryAt ?? now) - now) / 1000));
    const next = seconds > 0 ? `next attempt in ${duration(seconds)}` : 'next attempt is due';
    return { look: 'wait', text: `Waits: ${words(result)}, ${next}` };
  }
  if (place === 'receiver') {
    const isRefused = (status ?? 0) >= 400;
    return {
      look: isRefused ? 'bad' : 'calm',
      text: `${isRefused ? 'Refused' : 'Ignored'}: ${words(result)}`,
    };
  }
  const isClosed = result === 'closed' || result === 'already_ended';
  return { look: isClosed ? 'good' : 'bad', text: isClosed ? `Done: ${words(result)}` : words(result) };
}

export const words = (code = '') => code.replaceAll('_', ' ');

/** Seconds in the two largest units: `1 h 30 min`. */
export function duration(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'd'],
    [3600, 'h'],
    [60, 'min'],
    [1, 's'],
  ];
  const first = units.findIndex(([size]) => seconds >= size);
  if (first < 0) return '0 s';
  let rest = Math.round(seconds);
  const parts = units.slice(first, first + 2).map(([size, name]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? `${count} ${name}` : '';
  });
  return parts.filter(Boolean).join(' ');
}
