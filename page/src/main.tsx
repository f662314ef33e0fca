// The board page: a client of the public API and nothing else. docs/clients/page.md walks through it.

import { render } from 'preact';

import './style/index.css';
import { redeemLink } from './api/session';
import { App } from './views/app';

const why = await redeemLink();
render(<App why={why} />, document.getElementById('page')!);
