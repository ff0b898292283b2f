// SPDX-License-Identifier: Apache-2.0
// server.mjs - a small MCP server that trusts one realm.
//
// usage: server.mjs ISSUER [PORT]
//
// Prints one line of JSON with its URL once it listens.  A token must be of
// this issuer, signed with a key of its JWKS, and for this very resource.
// Its one tool, whoami, says for whom and through which client it was called.

import express from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { mcpAuthMetadataRouter, getOAuthProtectedResourceMetadataUrl } from '@modelcontextprotocol/sdk/server/auth/router.js';
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';

const [issuer, wantedPort] = process.argv.slice(2);

async function realmMetadata() {
  const url = `${issuer}/.well-known/openid-configuration`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(120000) });
  if (!answer.ok) {
    throw new Error(`${url}: HTTP ${answer.status}`);
  }
  return answer.json();
}

function verifier(metadata, resource) {
  const jwks = createRemoteJWKSet(new URL(metadata.jwks_uri));
  return {
    async verifyAccessToken(token) {
      let payload;
      try {
        ({ payload } = await jwtVerify(token, jwks,
          { issuer, audience: resource.href }));
      } catch (error) {
        throw new InvalidTokenError(error.message);
      }
      return {
        token,
        clientId: payload.azp,
        scopes: (payload.scope ?? '').split(' '),
        expiresAt: payload.exp,
        resource,
        extra: { user: payload.preferred_username },
      };
    },
  };
}

function mcpServer() {
  const server = new McpServer({ name: 'whoami', version: '1.0.0' });
  server.registerTool('whoami',
    { description: 'Says for whom, and through which client, it was called' },
    ({ authInfo }) => ({
      content: [{
        type: 'text',
        text: `${authInfo.extra.user} via ${authInfo.clientId}`,
      }],
    }));
  return server;
}

async function answerMcp(request, response) {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: undefined,
  });
  response.on('close', () => transport.close());
  await mcpServer().connect(transport);
  await transport.handleRequest(request, response, request.body);
}

const metadata = await realmMetadata();
const app = express();
const listener = app.listen(Number(wantedPort ?? 0), '127.0.0.1', () => {
  const resource = new URL(`http://localhost:${listener.address().port}/mcp`);
  app.use(mcpAuthMetadataRouter({
    oauthMetadata: metadata,
    resourceServerUrl: resource,
    scopesSupported: ['openid', 'profile'],
    resourceName: 'whoami',
  }));
  app.use('/mcp', requireBearerAuth({
    verifier: verifier(metadata, resource),
    expectedResource: resource,
    resourceMetadataUrl: getOAuthProtectedResourceMetadataUrl(resource),
  }));
  app.post('/mcp', express.json(), answerMcp);
  app.all('/mcp', (_request, response) => response.status(405).end());
  console.log(JSON.stringify({ url: resource.href }));
});
// Longer than any test: a client that was stopped for a moment would send its
// next request into a connection that has just been closed.
listener.keepAliveTimeout = 3600000;
