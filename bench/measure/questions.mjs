/** The questions that people have: in how many calls, for how much of authentik's time and how long each is answered. */
import { createClient, median } from "../load/clients.mjs";
import { withContender } from "../peers/contender.mjs";
import { connectionRow, tokenFor } from "../stubs/directory.mjs";
import { startTimedStub } from "../stubs/stubs.mjs";

const LINKS = 250;
const FIRST = 100;
const AUTHORIZATION = `Bearer ${tokenFor({ directory: LINKS, caller: "questions" })}`;
const { identifier, user } = connectionRow(120);

/** In the words of our graph, which plain yoga has too. @type {Record<string, { query: string, variables: any }>} */
const OURS = {
  links: {
    query: `query Links($source: String!, $first: Int!) {
      plexConnections(first: $first, filter: { source: $source }, sort: LAST_UPDATED_DESC) {
        totalCount
        nodes { identifier lastUpdated owner { username name } source { name } }
      }
    }`,
    variables: { source: "plex", first: FIRST },
  },
  account: {
    query: `query Account($id: ID!) {
      plexAccount(id: $id) { plexConnections { identifier owner { username name } source { name } } }
    }`,
    variables: { id: identifier },
  },
  user: {
    query: `query User($username: String!) {
      authentikUser(username: $username) { username plexConnections { identifier source { name } } }
    }`,
    variables: { username: `user-${user}` },
  },
};

/**
 * In the words of the generic gateway: it cannot follow `user`, so that the client asks a second time.
 * @type {Record<string, (post: (query: string) => Promise<any>) => Promise<any>>}
 */
const HIVE = {
  async links(post) {
    const page = await connections(
      post,
      `source__slug: "plex", page_size: ${FIRST}, ordering: "-last_updated"`,
    );
    return { ...page, ...(await owners(post, page.results)) };
  },
  async account(post) {
    const page = await connections(post, `search: "${identifier}"`);
    return { ...page, ...(await owners(post, page.results)) };
  },
  async user(post) {
    const people = await post(`{ core_users_list(username: "user-${user}") { results { pk username } } }`);
    return { people, ...(await connections(post, `user: ${people.core_users_list.results[0].pk}`)) };
  },
};

async function connections(post, filter) {
  const data = await post(`{ sources_user_connections_plex_list(${filter}) {
    pagination { count } results { user identifier last_updated source_obj { name } } } }`);
  return data.sources_user_connections_plex_list;
}

/** All of them in one operation of many aliases. */
function owners(post, rows) {
  const keys = [...new Set(rows.map((row) => row.user))];
  return post(
    `{ ${keys.map((pk) => `u${pk}: core_users_retrieve(id: ${pk}) { username name }`).join(" ")} }`,
  );
}

/** Whether an answer, in whoever's words, holds what was asked. */
function isRight(question, answer) {
  const text = JSON.stringify(answer);
  const count = (part) => text.split(part).length - 1;
  if (question === "links")
    return (
      count('"identifier":"1') === FIRST && count('"username":"user-') === FIRST && text.includes(`:${LINKS}`)
    );
  return text.includes(`"identifier":"${identifier}"`) && text.includes(`"username":"user-${user}"`);
}

/**
 * @param {{ contenders: readonly import("../peers/peers.mjs").Contender[], operations: number, say: (text: string) => void }} options
 * @returns {Promise<Record<string, Record<string, { calls: number, costMs: number, p50Ms: number } | { reason: string }>>>}
 *   by question and contender
 */
export async function measureQuestions({ contenders, operations, say }) {
  const results = { links: {}, account: {}, user: {} };
  for (const contender of contenders) {
    const stub = await startTimedStub();
    try {
      await withContender(contender, { upstreamUrl: stub.url }, async (running) => {
        for (const question of Object.keys(results)) {
          const figures = await answered(running, { stub, question, operations });
          results[question][contender.name] = figures;
          say(`question ${question}  ${contender.label}: ${JSON.stringify(figures)}`);
        }
      });
    } catch (error) {
      // One that does not start is no reason to forget the others.
      say(`questions  ${contender.label}: ${error.message}`);
    } finally {
      await stub.stop();
    }
  }
  return results;
}

async function answered({ url, name }, { stub, question, operations }) {
  const client = createClient(url);
  const post = async (query, variables = {}) => {
    const { json, failed } = await client.post({
      authorization: AUTHORIZATION,
      body: JSON.stringify({ query, variables }),
    });
    if (failed) throw new Error(json.errors?.[0]?.message ?? "no answer");
    return json.data;
  };
  const ask = () =>
    name === "hive" ? HIVE[question](post) : post(OURS[question].query, OURS[question].variables);
  try {
    // The first of a caller is not counted: what is learnt once is not part of the question.
    const answer = await ask();
    if (!isRight(question, answer)) throw new Error(`wrong answer: ${JSON.stringify(answer).slice(0, 200)}`);
    await stub.reset();
    const tookMs = [];
    for (let turn = 0; turn < operations; turn++) {
      const beganMs = performance.now();
      await ask();
      tookMs.push(performance.now() - beganMs);
    }
    const { calls, costMs } = await stub.stats();
    return { calls: calls / operations, costMs: costMs / operations, p50Ms: median(tookMs) };
  } catch (error) {
    return { reason: error.message };
  } finally {
    await client.close();
  }
}
