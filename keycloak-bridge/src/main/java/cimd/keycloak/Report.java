// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import org.jboss.logging.Logger;
import org.keycloak.events.EventBuilder;
import org.keycloak.events.EventType;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;

/**
 * Tells the administrator why a client was not accepted: a line in the log
 * and an event, both with the stable code and the client's URL.
 *
 * <p>The event is CLIENT_REGISTER_ERROR: to be looked up is for such a client
 * what registration is for others. Keycloak's own LOGIN_ERROR comes beside it
 * where a user waits for a page.
 */
final class Report {
    private static final Logger LOG = Logger.getLogger("cimd.keycloak");

    /** What fits into the columns of Keycloak's table of events. */
    private static final int MAX_CLIENT = 255;
    private static final int MAX_DETAIL = 1000;

    private final KeycloakSession session;
    private final RealmModel realm;

    private Report(KeycloakSession session, RealmModel realm) {
        this.session = session;
        this.realm = realm;
    }

    static Report of(KeycloakSession session, RealmModel realm) {
        return new Report(session, realm);
    }

    /** An answer was given; lists that show a client are no news. */
    void answered(String clientId, Answer answer, Purpose purpose) {
        if (answer.good() || purpose == Purpose.DISPLAY
            || answer.is(Problem.Kind.NOT_OURS)) {
            return;
        }
        refused(clientId, answer.problem());
    }

    /** The same, but not for each of a request's many lookups. */
    void refusedOnce(String clientId, Problem problem) {
        String told = "cimd.told " + problem.code() + " " + realm.getId()
            + " " + clientId;
        if (session.getAttribute(told) == null) {
            session.setAttribute(told, true);
            refused(clientId, problem);
        }
    }

    void refused(String clientId, Problem problem) {
        // An engine that does not answer has a line of its own (Bridge).
        LOG.logf(problem.code().equals(Problem.ENGINE) ? Logger.Level.DEBUG
            : Logger.Level.WARN, "cimd: realm %s: %s: %s: %s",
            realm.getName(), problem.code(), printable(clientId),
            printable(problem.detail()));
        EventBuilder event = new EventBuilder(realm, session);
        String from = Requests.remoteAddress(session);
        if (from != null) {
            event.ipAddress(from);
        }
        event.event(EventType.CLIENT_REGISTER_ERROR)
            .client(cut(printable(clientId), MAX_CLIENT))
            .detail("cimd_code", problem.code())
            .detail("cimd_client", cut(printable(clientId), MAX_DETAIL))
            .detail("reason", cut(printable(problem.detail()), MAX_DETAIL))
            .error(problem.error());
    }

    static String cut(String s, int max) {
        return s.length() <= max ? s : s.substring(0, max);
    }

    /** No line of a log may be made by whoever sends a client_id. */
    static String printable(String s) {
        StringBuilder out = new StringBuilder();
        s.codePoints().limit(1024).forEach(c -> {
            if (c < ' ' || c > '~') {
                out.append(String.format("\\u{%x}", c));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.toString();
    }
}
