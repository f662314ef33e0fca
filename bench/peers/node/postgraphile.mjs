// PostGraphile 5 as its documentation begins: `node postgraphile.mjs DATABASE_URL PORT NODE_MODULES`.
// It makes its schema of the database, so the same question is asked in its words: bench/boards.py.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [url, port, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { postgraphile } = await load("postgraphile");
const { PostGraphileAmberPreset } = await load("postgraphile/presets/amber");
const { makePgService } = await load("postgraphile/adaptors/pg");
const { grafserv } = await load("postgraphile/grafserv/node");

const [, database, host] = url.match(/@\/(\w+)\?host=(.*)$/) ?? [];
const poolConfig = host ? { user: "postgres", database, host, max: 10 } : { connectionString: url, max: 10 };
const pgl = postgraphile({
  extends: [PostGraphileAmberPreset.default ?? PostGraphileAmberPreset],
  pgServices: [makePgService({ poolConfig, schemas: ["public"] })],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
});
const serv = pgl.createServ(grafserv);
const server = createServer();
await serv.addTo(server);
server.listen(Number(port), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
