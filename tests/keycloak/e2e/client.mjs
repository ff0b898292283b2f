// SPDX-License-Identifier: Apache-2.0
// client.mjs - an MCP client with a user in front of a real browser.
//
// usage: client.mjs JSON
//
//   server     URL of the MCP server
//   client     URL of the client's metadata document (its client_id)
//   registered client_id of a registered client instead
//   redirect   redirect URI; a loopback one without port gets a free port
//   user       {name, password} at the realm
//   key        path of a private key (PKCS #8): private_key_jwt; kid, alg
//   shots      folder for pictures SHOTNAME-login.png, -consent, -error
//
// Prints a line of JSON for each step: {"step", "ms", ...}.  The last one is
// {"step": "tool", "text"}, or {"step": "refused", "text"} with what the user
// reads.  Exit status: 0 for both of them.

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { webcrypto } from 'node:crypto';
import * as jose from 'jose';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as browser from './browser.mjs';

globalThis.crypto ??= webcrypto; // node 18

const options = JSON.parse(process.argv[2]);
let since = performance.now();

function say(step, more = {}) {
  const now = performance.now();
  console.log(JSON.stringify({ step, ms: Math.round(now - since), ...more }));
  since = now;
}

// Every request of the SDK, as a step of its own.
async function watchedFetch(url, init) {
  const answer = await fetch(url, init);
  say('http', {
    method: init?.method ?? 'GET', url: String(url), status: answer.status,
  });
  return answer;
}

// The page that a command-line client shows at the end.
async function listen(redirect) {
  const url = new URL(redirect);
  if (url.protocol !== 'http:' || url.port !== '') {
    return { url: redirect, close: () => {} };
  }
  const server = http.createServer((request, response) => {
    response.setHeader('Content-Type', 'text/plain');
    response.end('You are logged in and may close this page.\n');
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url.port = String(server.address().port);
  return { url: url.href, close: () => server.close() };
}

async function clientAssertion(params, metadata) {
  const alg = options.alg ?? 'RS256';
  const key = await jose.importPKCS8(
    fs.readFileSync(options.key, 'utf8'), alg);
  params.set('client_id', options.client);
  params.set('client_assertion_type',
    'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
  params.set('client_assertion', await new jose.SignJWT({})
    .setProtectedHeader({ alg, kid: options.kid })
    .setIssuer(options.client).setSubject(options.client)
    .setAudience(metadata.issuer).setIssuedAt().setExpirationTime('60s')
    .setJti(crypto.randomUUID()).sign(key));
}

// What the SDK keeps for one server.
class Provider {
  constructor(redirectUrl) {
    this.redirectUrl = redirectUrl;
    this.clientMetadataUrl = options.client;
    if (options.registered) {
      this.information = { client_id: options.registered };
    }
    if (options.key) {
      this.addClientAuthentication = (_headers, params, _url, metadata) =>
        clientAssertion(params, metadata);
    }
  }

  get clientMetadata() {
    return {
      client_name: 'not used: the document says it',
      redirect_uris: [this.redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: options.key ? 'private_key_jwt' : 'none',
    };
  }

  state() {
    return 'state-of-this-test';
  }

  clientInformation() {
    return this.information;
  }

  saveClientInformation(information) {
    this.information = information;
    say('client', { client_id: information.client_id });
  }

  tokens() {
    return this.saved;
  }

  saveTokens(tokens) {
    this.saved = tokens;
    const { aud, azp, scope } = jose.decodeJwt(tokens.access_token);
    say('token', { aud, azp, scope, refresh: Boolean(tokens.refresh_token) });
  }

  redirectToAuthorization(url) {
    this.authorizationUrl = url;
    say('authorize', { url: url.href });
  }

  saveCodeVerifier(verifier) {
    this.verifier = verifier;
  }

  codeVerifier() {
    return this.verifier;
  }
}

function shooter(page) {
  return async (name) => {
    if (options.shots) {
      await page.screenshot({
        path: path.join(options.shots, `${options.shotName}-${name}.png`),
      });
    }
  };
}

async function inBrowser(provider) {
  const { browser: program, page } = await browser.open(options.shots
    ? { width: 760, height: 620 } : undefined);
  try {
    return await browser.authorize(page, provider.authorizationUrl.href,
      provider.redirectUrl, options.user, say, shooter(page));
  } finally {
    await program.close();
  }
}

function transport(provider) {
  return new StreamableHTTPClientTransport(new URL(options.server),
    { authProvider: provider, fetch: watchedFetch });
}

// True if the user must be asked; the transport has set everything up.
async function mustAuthorize(provider, first) {
  try {
    await new Client({ name: 'e2e', version: '1.0.0' }).connect(first);
    return false;
  } catch (error) {
    if (provider.authorizationUrl === undefined) {
      throw error;
    }
    return true;
  }
}

async function useTool(provider) {
  const client = new Client({ name: 'e2e', version: '1.0.0' });
  await client.connect(transport(provider));
  const { content } = await client.callTool({ name: 'whoami' });
  say('tool', { text: content[0].text });
  await client.close();
}

async function run(provider) {
  const first = transport(provider);
  if (!await mustAuthorize(provider, first)) {
    throw new Error('the MCP server asked for no token');
  }
  const end = await inBrowser(provider);
  if (end.error) {
    say('refused', { text: end.error });
    return;
  }
  const answer = new URL(end.callback).searchParams;
  say('callback', { url: end.callback.replace(/\?.*/, '') });
  if (!answer.has('code')) {
    say('refused', { text: `${answer.get('error')}: ${answer.get('error_description')}` });
    return;
  }
  await first.finishAuth(answer.get('code'));
  await useTool(provider);
  if (options.refresh) {
    await auth(provider, { serverUrl: options.server, fetchFn: watchedFetch });
    await useTool(provider);
  }
}

const callback = await listen(options.redirect);
try {
  await run(new Provider(callback.url));
} finally {
  callback.close();
}
