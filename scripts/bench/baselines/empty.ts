/** The least that a function can do: what the runtime itself costs. */
export async function handler(): Promise<{ statusCode: number }> {
  return { statusCode: 200 };
}
