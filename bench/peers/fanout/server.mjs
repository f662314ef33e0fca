// Subscriptions as graphql-ws and ws serve them: a queue a subscriber, no database behind them.
// `node server.mjs PORT`. POST /publish?count=N makes N events.
import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

const schema = buildSchema(`
  type Query { ok: Boolean! }
  type Card { id: ID! title: String! stage: String! }
  type BoardEvent { seq: Int! cursor: String! kind: String! cardId: ID! card: Card! }
  type Subscription { boardFeed(boardId: ID!): BoardEvent! }
`);

const queues = new Set();

class Queue {
  waiting = [];
  ask = null;
  put(event) {
    if (this.ask) {
      const ask = this.ask;
      this.ask = null;
      ask({ value: event, done: false });
    } else this.waiting.push(event);
  }
  next() {
    if (this.waiting.length) return Promise.resolve({ value: this.waiting.shift(), done: false });
    return new Promise((resolve) => (this.ask = resolve));
  }
  return() {
    queues.delete(this);
    return Promise.resolve({ value: undefined, done: true });
  }
  [Symbol.asyncIterator]() {
    return this;
  }
}

schema.getSubscriptionType().getFields().boardFeed.subscribe = () => {
  const queue = new Queue();
  queues.add(queue);
  queue.put(made()); // tells the load that it is heard
  return queue;
};

let seq = 0;
function made() {
  seq += 1;
  const card = { id: `card_${'0'.repeat(26)}`, title: 'A card that is moved', stage: 'BACKLOG' };
  return { boardFeed: { seq, cursor: `abcdefgh.${seq}`, kind: 'CARD_MOVED', cardId: card.id, card } };
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  if (url.pathname === '/publish') {
    for (let left = Number(url.searchParams.get('count')); left > 0; left -= 1) {
      const told = made();
      for (const queue of queues) queue.put(told);
    }
  }
  request.resume();
  response.setHeader('content-length', 2);
  response.end('{}');
});
useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
server.listen(Number(process.argv[2]), '127.0.0.1');
