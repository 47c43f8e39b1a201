// The provider of `oidc-provider` with one client and its own pages for signing in: `node provider.mjs PORT SERVICE`.
// Whoever signs in is known by that name; the groups are in the claims of UserInfo.
import Provider from "oidc-provider";

const [port, service] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const api = "https://radiology.test/api";
const accounts = { findAccount: (_, id) => ({ accountId: id, claims: () => claimsOf(id) }) };
const claimsOf = (id) => ({ sub: id, name: `Dr ${id}`, preferred_username: id, groups: ["radiologists"], site: "dhaka" });

const provider = new Provider(issuer, {
    ...accounts,
    clients: [
        {
            client_id: "radiology",
            client_secret: "secret of the client",
            redirect_uris: [`${service}/login/oidc/callback`],
            post_logout_redirect_uris: [`${service}/login`],
            backchannel_logout_uri: `${service}/login/oidc/backchannel-logout`,
            backchannel_logout_session_required: true,
        },
        {
            client_id: "laboratory",
            client_secret: "secret of the laboratory",
            grant_types: ["client_credentials"],
            redirect_uris: [],
            response_types: [],
        },
    ],
    claims: { openid: ["sub"], profile: ["name", "preferred_username", "groups", "site"] },
    pkce: { required: () => true },
    // It refuses to call addresses of this machine, where we are.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    features: {
        backchannelLogout: { enabled: true },
        clientCredentials: { enabled: true },
        resourceIndicators: {
            enabled: true,
            defaultResource: () => undefined,
            getResourceServerInfo: () => ({
                scope: "system/ImagingStudy.rs",
                audience: api,
                accessTokenFormat: "jwt",
                jwt: { sign: { alg: "RS256" } },
            }),
        },
    },
});
provider.listen(Number(port), "127.0.0.1");
