// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.util.List;
import org.keycloak.provider.ProviderConfigProperty;

/** The fields of the administrator's form, with what a sysadmin must know. */
final class SettingsForm {
    private SettingsForm() {
    }

    static List<ProviderConfigProperty> properties() {
        return List.of(
            list(Settings.CLIENTS, "Allowed clients",
                "Who may come: a name of the catalog of known clients"
                + " (claude-code, vscode, ...), a client's URL, or a URL with"
                + " * for one segment of its path. Nobody is allowed who is"
                + " not listed here, unless the next field says so."),
            choice(Settings.OTHERS, "Clients that are not listed",
                "deny: refused, and nothing is fetched from them. wait for"
                + " approval: refused until \"cimdctl approve URL\" on the"
                + " machine. allow unverified: anybody on the internet may"
                + " send users here; the consent page shows from which host.",
                "deny", "wait for approval", "allow unverified"),
            list(Settings.BLOCKED, "Blocked clients",
                "Refused whatever the other fields say: URLs, URLs with * for"
                + " one segment of the path, or hosts. Tokens that such a"
                + " client has stop working with its next request; its"
                + " sessions and consents can still be seen and ended."),
            choice(Settings.REDIRECTS, "Redirect URIs",
                "Which of the redirect URIs in a client's document count."
                + " document: all, those of the user's own device on any"
                + " port. loopback-exact: all, but with the port that is"
                + " listed. same-origin, same-site: https only to the"
                + " client's own host, or its registrable domain, and to the"
                + " user's own device unless the choice says otherwise.",
                "document", "loopback-exact", "same-origin", "same-site",
                "same-origin, no loopback", "same-site, no loopback"),
            list(Settings.MORE_REDIRECTS, "More redirect hosts and schemes",
                "host:NAME lets redirect URIs of one more https host in,"
                + " scheme:NAME those of a private-use scheme, which any"
                + " program on the user's device can take."),
            list(Settings.SCOPES, "Scopes",
                "The most that such clients can get. Empty: what the realm"
                + " gives every client. A client scope of the realm that is"
                + " named here becomes optional for them."),
            list(Settings.AUDIENCES, "Audiences",
                "What tokens may be for: the URLs of your MCP servers or"
                + " APIs. A client that asks for one of them with the"
                + " parameter \"resource\" (RFC 8707) gets it as \"aud\";"
                + " any other gets the first of the list. Empty: none is"
                + " added."),
            new ProviderConfigProperty(Settings.CONFIDENTIAL,
                "Only clients with keys",
                "Refuses clients that do not authenticate with a key of their"
                + " document (private_key_jwt). Desktop applications"
                + " have none.",
                ProviderConfigProperty.BOOLEAN_TYPE, false),
            choice(Settings.UPDATE, "Changed documents",
                "live: a client's new document holds as soon as it is seen."
                + " approve: additions wait until an administrator has seen"
                + " the difference (cimdctl diff, cimdctl approve). pinned:"
                + " the approved document stays. What a new document removes,"
                + " a key above all, is gone at once in every case.",
                "live", "approve", "pinned"));
    }

    private static ProviderConfigProperty list(String name, String label,
        String help) {
        return new ProviderConfigProperty(name, label, help,
            ProviderConfigProperty.MULTIVALUED_STRING_TYPE, null);
    }

    private static ProviderConfigProperty choice(String name, String label,
        String help, String... words) {
        return new ProviderConfigProperty(name, label, help,
            ProviderConfigProperty.LIST_TYPE, words[0], words);
    }
}
