// SPDX-License-Identifier: Apache-2.0
// browser.mjs - Debian's Chromium without a window, and what a user does on
// Keycloak's pages.

import { chromium } from 'playwright-core';

const PATIENCE = 120000; // ms, on a machine that does much else

// The browser has no sandbox of its own: as root it cannot make one.  The
// laboratory's certification authority is not in its store.
export async function open(size = { width: 1000, height: 760 }) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu',
      '--force-color-profile=srgb', '--lang=en-US'],
    timeout: PATIENCE,
  });
  const context = await browser.newContext({
    ignoreHTTPSErrors: true, viewport: size, locale: 'en-US',
  });
  context.setDefaultTimeout(PATIENCE);
  return { browser, page: await context.newPage() };
}

// What of Keycloak's pages is to be seen: "login", "consent", "error", or
// "done" once the browser went to the client's own address.
async function pageKind(page, atClient) {
  const found = await Promise.race([
    page.waitForSelector('#password').then(() => 'login'),
    page.waitForSelector('[name=accept]').then(() => 'consent'),
    page.waitForSelector('#kc-error-message').then(() => 'error'),
    atClient.then(() => 'done'),
  ].map((one) => one.catch(() => 'closed')));
  return found;
}

export async function text(page, selector) {
  const found = await page.locator(selector).first().innerText();
  return found.replace(/\s+/g, ' ').trim();
}

// Log in and consent at url; say tells each step, shot takes a picture of it.
// The address of the client to which the browser returned, or the text of
// Keycloak's error page.
export async function authorize(page, url, redirect, user, say, shot) {
  const atClient = page.waitForRequest((request) =>
    request.isNavigationRequest() && returnsTo(request.url(), redirect));
  atClient.catch(() => {});
  await page.goto(url);
  for (;;) {
    const kind = await pageKind(page, atClient);
    if (kind === 'login') {
      say('login', { page: await text(page, 'body') });
      await shot('login');
      await page.fill('#username', user.name);
      await page.fill('#password', user.password);
      await submit(page, '#kc-login');
    } else if (kind === 'consent') {
      say('consent', { page: await text(page, 'body') });
      await shot('consent');
      await submit(page, '[name=accept]');
    } else if (kind === 'error') {
      await shot('error');
      return { error: await text(page, '#kc-error-message') };
    } else if (kind === 'done') {
      const request = await atClient;
      return { callback: request.url() };
    } else {
      throw new Error(`a page that is not known at ${page.url()}`);
    }
  }
}

function returnsTo(url, redirect) {
  return url === redirect || url.startsWith(`${redirect}?`);
}

// Press a button that leaves the page.
async function submit(page, selector) {
  await page.evaluate(() => { document.body.dataset.seen = 'yes'; });
  await page.click(selector, { noWaitAfter: true });
  await page.waitForFunction(() => document.body
    && document.body.dataset.seen !== 'yes').catch((error) => {
    if (!/navigation|destroyed|closed/i.test(error.message)) {
      throw error;
    }
  });
}
