import { type Fault, nearest, type Path, pathTo } from './fault.ts';

const RENEW =
  'Remove it and renew it: everybody who has seen this file knows it. Store the new one in Secrets Manager, as steps 4 and 5 of the README’s "Deploy it to AWS" show';

/** Endings of keys that hold a secret. The keys are in lower case, without hyphens and underscores. */
const SECRET_KEY =
  /(secret|secrets|token|password|passwd|passphrase|apikey|privatekey|signingkey|secretkey|hmackey|credential|credentials|authorization)$/;
/** Keys of the file that hold the name of a secret. */
const NAMING = ['existingSecret', 'existingSecretKey'];
/** Below these keys are names that the user chooses. */
const OWN_NAMES = ['polyai', 'connections'];
/** Below this key are conditions on events. */
const CONDITIONS = 'eventPattern';

/** Forms that are a secret at any place. */
const SECRET_VALUE = [
  /^(v1a?,)?wh(sec|pk|sk)_/,
  /-----BEGIN [A-Z ]*KEY-----/,
  /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/,
  /^(bearer|basic) \S{8,}$/i,
  /^(?=.*\d)[A-Za-z0-9+/_-]{20,}={1,2}$/,
];

/** Forms that are a secret where the name of one is expected. Names consist of words. */
const SECRET_FOR_NAME = [
  /^\{\s*"/,
  /=$/,
  /^[0-9a-f]{32,}$/i,
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
  /^(sk|pk|rk)_(live|test)_/,
];
const RANDOM_LENGTH = 20;
/** Random text changes between upper case, lower case and digits at about 6 of 10 places. Names seldom do. */
const RANDOM_CHANGES = 0.42;

/**
 * Finds secrets in a file that must hold none, by their keys and by their shape.
 *
 * @param value the file, or a part of it
 * @returns faults, which never repeat a secret
 */
export function findPastedSecrets(value: unknown, path: Path = []): Fault[] {
  if (typeof value === 'string') return checkValue(value, path);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const below = [...path, Array.isArray(value) ? Number(key) : key];
    if (key === CONDITIONS) return [];
    const isName = path.length === 1 && OWN_NAMES.includes(String(path[0]));
    if (!Array.isArray(value) && !isName && isSecretKey(key, each)) {
      return [
        {
          path: pathTo(...below),
          problem: 'is a secret, and secrets do not belong in this file',
          fix: RENEW,
        },
      ];
    }
    return findPastedSecrets(each, below);
  });
}

function isSecretKey(key: string, value: unknown): boolean {
  const plain = key.toLowerCase().replace(/[-_ ]/g, '');
  if (NAMING.includes(key) || !SECRET_KEY.test(plain)) return false;
  // A misspelt existingSecret with the name of a secret is a typing mistake.
  const isMisspelt = nearest(plain, NAMING, 2) !== undefined;
  return !(isMisspelt && typeof value === 'string' && checkValue(value, ['existingSecret']).length === 0);
}

function checkValue(value: string, path: Path): Fault[] {
  const text = value.trim();
  const place = pathTo(...path);
  if (SECRET_VALUE.some((shape) => shape.test(text))) {
    return [{ path: place, problem: 'holds a secret, and secrets do not belong in this file', fix: RENEW }];
  }
  if (path.at(-1) !== 'existingSecret' || text.startsWith('arn:')) return [];
  if (!SECRET_FOR_NAME.some((shape) => shape.test(text)) && !hasRandomRun(text)) return [];
  return [
    {
      path: place,
      problem: 'looks like a secret, not like the name of a secret, and secrets do not belong in this file',
      fix: `${RENEW}. If it is a name, write the full ARN of the secret instead`,
    },
  ];
}

function hasRandomRun(text: string): boolean {
  return (text.match(/[A-Za-z0-9]+/g) ?? []).some((run) => {
    if (run.length < RANDOM_LENGTH) return false;
    const kinds = [...run].map((character) =>
      /\d/.test(character) ? 'digit' : character === character.toLowerCase() ? 'lower' : 'upper',
    );
    const changes = kinds.filter((kind, index) => index > 0 && kind !== kinds[index - 1]).length;
    return changes / (run.length - 1) >= RANDOM_CHANGES;
  });
}
