// Fastify, Mercurius with its JIT and loaders, node-postgres: `node mercurius.mjs DATABASE_URL PORT NODE_MODULES`.
// Written as Mercurius' documentation does it; sees what the owner sees.
import { createRequire } from "node:module";

const [url, port, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const pg = require("pg");
const Fastify = require("fastify");
const mercurius = require("mercurius");

const [, database, host] = url.match(/@\/(\w+)\?host=(.*)$/) ?? [];
const pool = new pg.Pool(
  host ? { user: "postgres", database, host, max: 10 } : { connectionString: url, max: 10 },
);
const owner = (await pool.query('SELECT id FROM "user" WHERE is_local')).rows[0].id;

const schema = `
  enum Priority { NONE LOW MEDIUM HIGH CRITICAL }
  type Query { board(id: ID!): Board  card(id: ID!): Card }
  type Board { id: ID! name: String! columns: [Column!]! cards(first: Int): CardPage! }
  type Column { id: ID! name: String! stage: String! }
  type CardPage { nodes: [Card!]! }
  type Card { id: ID! number: Int! title: String! type: String! priority: Priority! dueOn: String version: Int!
    createdAt: String! columnId: ID! subtasks: [Subtask!]! labels: [Label!]! }
  type Subtask { id: ID! title: String! completed: Boolean! phase: String }
  type Label { id: ID! name: String! colour: String! }
`;
const PRIORITIES = ["NONE", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
const MINE = "SELECT id FROM board WHERE workspace_id IN (SELECT workspace_id FROM membership WHERE user_id = $1)";
const CARD = `SELECT card.id, number, title, type, priority, due_on, card.version, card.created_at, column_id
  FROM card JOIN board_column ON board_column.id = card.column_id`;
const rows = async (name, text, values) => (await pool.query({ name, text, values })).rows;
const card = (row) => ({
  id: row.id, number: row.number, title: row.title, type: row.type, priority: PRIORITIES[row.priority],
  dueOn: row.due_on, version: row.version, createdAt: row.created_at.toISOString(), columnId: row.column_id,
});
const grouped = (found, keys) => {
  const lists = new Map(keys.map((key) => [key, []]));
  for (const row of found) lists.get(row.card_id).push(row);
  return keys.map((key) => lists.get(key));
};

const resolvers = {
  Query: {
    board: async (_, { id }) =>
      (await rows("board", `SELECT id, name FROM board WHERE id = $2 AND id IN (${MINE})`, [owner, id]))[0],
    card: async (_, { id }) => {
      const [row] = await rows("card", `${CARD} WHERE card.id = $2 AND card.board_id IN (${MINE})`, [owner, id]);
      return row && card(row);
    },
  },
  Board: {
    columns: (board) =>
      rows("columns", "SELECT id, name, stage FROM board_column WHERE board_id = $1 ORDER BY rank", [board.id]),
    cards: async (board, { first }) => ({
      nodes: (await rows("cards", `${CARD} WHERE card.board_id = $1 AND archived_at IS NULL
        ORDER BY board_column.rank, card.rank, card.id LIMIT $2`, [board.id, first ?? 50])).map(card),
    }),
  },
};
const loaders = {
  Card: {
    async subtasks(queries) {
      const keys = queries.map(({ obj }) => obj.id);
      return grouped(await rows("subtasks", `SELECT card_id, id, title, completed, phase FROM subtask
        WHERE card_id = ANY($1) ORDER BY phase_order, rank, id`, [keys]), keys);
    },
    async labels(queries) {
      const keys = queries.map(({ obj }) => obj.id);
      return grouped(await rows("labels", `SELECT card_id, label.id, name, colour FROM label
        JOIN card_label ON card_label.label_id = label.id WHERE card_id = ANY($1)
        ORDER BY name_folded, label.id`, [keys]), keys);
    },
  },
};

const app = Fastify();
app.register(mercurius, { schema, resolvers, loaders, jit: 1 });
await app.listen({ port: Number(port), host: "127.0.0.1" });
process.on("SIGTERM", () => process.exit(0));
