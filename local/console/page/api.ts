/** @throws {Error} whose message is for the reader of the page */
export async function get<Answer>(path: string): Promise<Answer> {
  return answerOf(await fetch(path));
}

/** @throws {Error} whose message is for the reader of the page */
export async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  const headers = { 'content-type': 'application/json' };
  return answerOf(await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  const value = await response.json();
  if (!response.ok) throw new Error(value.error);
  return value;
}
