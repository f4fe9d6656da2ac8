// SPDX-License-Identifier: EUPL-1.2
// npm's oidc-provider (a certified OpenID provider) for the tests: one person, who signs in at once with the acr that is
// asked for, or says on the phone what the test wants. Arguments: the port, and the client's configuration as JSON.
import { createServer } from 'node:http';
import { errors, Provider } from 'oidc-provider';

const [port, configured] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const { client, person } = JSON.parse(configured);
const amr = ['CARD'];

const provider = new Provider(issuer, {
  clients: [client],
  claims: { openid: ['sub', 'acr', 'amr', 'auth_time'], sid: null, person: Object.keys(person) },
  scopes: ['openid', 'person'],
  acrValues: ['eidas1', 'eidas2', 'eidas3'],
  cookies: { keys: ['of these tests alone'] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...person }) }),
  // Its own guard against requests to loopback would keep its logout tokens from the gateway under test.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = form; },
      postLogoutSuccessSource: (ctx) => { ctx.body = 'signed out'; },
    },
    ciba: {
      enabled: true,
      deliveryModes: ['poll'],
      processLoginHint: (ctx, hint) => (hint === person.SubjectNameID ? 'person' : undefined),
      validateBindingMessage: (ctx, message) => {
        if (!/^[0-9]{2}$/.test(message)) throw new errors.InvalidBindingMessage('two digits');
      },
      validateRequestContext: () => {},
      verifyUserCode: () => {},
      triggerAuthenticationDevice: (ctx, request) => {
        setTimeout(async () => {
          const said = { acr: request.params.acr_values, amr, authTime: Math.floor(Date.now() / 1000) };
          await provider.backchannelResult(request, await granted('person', request.clientId), said);
        }, 500);
      },
    },
  },
});

provider.on('backchannel.error', (ctx, error) => console.error(error));

async function granted(accountId, clientId) {
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope('openid person');
  return grant.save();
}

async function interact(request, response) {
  const { params, prompt, session } = await provider.interactionDetails(request, response);
  const accountId = session?.accountId ?? 'person';
  const login = { accountId, acr: params.acr_values, amr };
  const answer = prompt.name === 'login' ? { login } : { consent: { grantId: await granted(accountId, params.client_id) } };
  await provider.interactionFinished(request, response, answer, { mergeWithLastSubmission: true });
}

createServer((request, response) => {
  if (request.url.startsWith('/interaction/')) {
    interact(request, response).catch((error) => { console.error(error); response.writeHead(500).end(); });
  } else {
    provider.callback()(request, response);
  }
}).listen(Number(port), '127.0.0.1', () => console.log('ready'));
