import { type Answer, createPolyAIApi, type Keys, type PolyAIApi } from '../../local/polyai-api.ts';
import type { Container } from '../soak/lambda.ts';

/** One project at PolyAI. Its keys and its answers may be changed at any time. */
export type SimulatedProject = {
  keys: Keys;
  api: PolyAIApi;
  /** When it returns an answer, that is given instead of the normal one, and no chat changes. */
  answerInstead: (path: string) => Answer | undefined;
};

const ANSWER_MS = 200;

/**
 * PolyAI without a network: the answers of the stand-in's API, after a fifth of a virtual second. An address that names
 * no project gets the documented 404.
 *
 * @param projectIds the ids of the projects by their names
 */
export function createPolyAI(projectIds: Record<string, string>) {
  const projects: Record<string, SimulatedProject> = {};
  for (const name of Object.keys(projectIds)) projects[name] = createProject(name);

  function find(path: string): SimulatedProject | undefined {
    const segments = path.split(/[/?]/);
    const name = Object.keys(projectIds).find((each) => segments.includes(projectIds[each] ?? ''));
    return name === undefined ? undefined : projects[name];
  }

  function answer(url: string, { method = 'GET', headers, body }: RequestInit): Answer {
    const { pathname, search } = new URL(url);
    const path = `${pathname}${search}`;
    const project = find(path);
    if (!project) return { status: 404, body: { error_code: 'PROJECT_NOT_FOUND', error_message: 'none' } };
    const lowerCase = Object.fromEntries(new Headers(headers));
    return (
      project.answerInstead(path) ??
      project.api.answer(method, path, lowerCase, typeof body === 'string' ? body : '')
    );
  }

  const fetchFrom =
    (container: Container): typeof fetch =>
    (url, init = {}) =>
      container.reach(ANSWER_MS, () => {
        const { status, body, headers } = answer(String(url), init);
        return new Response(JSON.stringify(body), {
          status,
          headers: { 'content-type': 'application/json', 'x-polyai-correlation-id': 'made-up', ...headers },
        });
      });

  return { projects, fetchFrom };
}

function createProject(name: string): SimulatedProject {
  const project: SimulatedProject = {
    keys: { apiKey: `key-${name}`, token: `token-${name}` },
    api: createPolyAIApi(() => project.keys),
    answerInstead: () => undefined,
  };
  return project;
}
