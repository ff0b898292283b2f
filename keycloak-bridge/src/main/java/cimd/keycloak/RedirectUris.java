// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The document's redirect URIs in the words of Keycloak.
 *
 * <p>Keycloak takes "*" for a wildcard and what begins with "/" for relative;
 * cimdd lets neither through, and neither do we. A loopback URI without a
 * port matches every port; one with a port matches that port alone. So where
 * the port has to be that of the document, one without a port is left out.
 */
final class RedirectUris {
    private static final Pattern ABSOLUTE =
        Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:[\\x21-\\x7e]+");
    private static final Pattern LOOPBACK_PORT = Pattern.compile(
        "(http://(?:localhost|127\\.0\\.0\\.1)):[0-9]{1,5}(?=[/?]|$)");
    /** What Keycloak takes for any port. */
    private static final Pattern LOOPBACK = Pattern.compile(
        "http://(?:localhost|127\\.0\\.0\\.1|\\[::1\\])(?:[/?].*)?",
        Pattern.CASE_INSENSITIVE);

    private static final Pattern LOOPBACK_HOST = Pattern.compile(
        "(?:[^.]+\\.)*localhost\\.?|127(?:\\.[0-9]+){3}|\\[::1\\]",
        Pattern.CASE_INSENSITIVE);

    private RedirectUris() {
    }

    static Set<String> forKeycloak(Collection<String> uris, boolean anyPort) {
        Set<String> all = new LinkedHashSet<>();
        for (String uri : uris) {
            if (!usable(uri)
                || !anyPort && LOOPBACK.matcher(uri).matches()) {
                continue;
            }
            all.add(anyPort ? withoutLoopbackPort(uri) : uri);
        }
        return all;
    }

    /** Origins of scripts that may call the token endpoint. */
    static Set<String> origins(Collection<String> uris) {
        Set<String> all = new LinkedHashSet<>();
        for (String uri : uris) {
            if (usable(uri) && uri.startsWith("https://")) {
                addOrigin(all, uri);
            }
        }
        return all;
    }

    /** What a user should know of a redirect URI: its host, or scheme. */
    static String target(String uri) {
        try {
            URI u = new URI(uri);
            return u.getHost() != null ? u.getHost()
                : "the application for " + u.getScheme() + ": addresses";
        } catch (URISyntaxException e) {
            return "an invalid address";
        }
    }

    /** May any program on the user's device be what receives it? */
    static boolean onDevice(String uri) {
        try {
            URI u = new URI(uri);
            return !"https".equalsIgnoreCase(u.getScheme())
                || u.getHost() == null || LOOPBACK_HOST.matcher(u.getHost())
                    .matches();
        } catch (URISyntaxException e) {
            return true;
        }
    }

    private static boolean usable(String uri) {
        return ABSOLUTE.matcher(uri).matches() && uri.indexOf('*') < 0
            && uri.indexOf('#') < 0;
    }

    private static String withoutLoopbackPort(String uri) {
        var m = LOOPBACK_PORT.matcher(uri);
        return m.lookingAt() ? m.group(1) + uri.substring(m.end()) : uri;
    }

    private static void addOrigin(Set<String> all, String uri) {
        try {
            URI u = new URI(uri);
            if (u.getHost() != null) {
                all.add("https://" + u.getHost()
                    + (u.getPort() < 0 ? "" : ":" + u.getPort()));
            }
        } catch (URISyntaxException e) {
            // No origin that a browser would send, either.
        }
    }
}
