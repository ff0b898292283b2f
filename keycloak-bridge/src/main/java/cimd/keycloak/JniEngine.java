// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * libcimd in this process, with a store of its own.
 *
 * <p>Nothing is loaded or opened before the first lookup. What is missing
 * then, a library, a configuration, or a state directory that another process
 * holds, is looked for again with later lookups. A configuration that has
 * changed is read again, so that a block acts without a restart; one that is
 * wrong leaves the old one in force.
 */
final class JniEngine implements CimdEngine {
    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final System.Logger LOG =
        System.getLogger("cimd.keycloak");

    private final Path library;
    private final Path config;
    private final ReadWriteLock lock = new ReentrantReadWriteLock();
    private final ReentrantLock looking = new ReentrantLock();
    /** 0: not open. */
    private long handle;
    private boolean closed;
    private volatile boolean opened;
    /** Of the configuration that is in force, or was refused last. */
    private FileTime changed;
    private EngineException failure = new EngineException("not open yet");
    private volatile long looked = System.nanoTime() - LOOK_NANOS;

    /**
     * @param library libcimd_jni.so, an absolute path
     * @param config what "cimdd -t --json" printed
     */
    JniEngine(Path library, Path config) {
        this.library = library;
        this.config = config;
    }

    @Override
    public byte[] client(byte[] request) throws EngineException {
        if (!opened || System.nanoTime() - looked >= LOOK_NANOS) {
            look();
        }
        lock.readLock().lock();
        try {
            if (handle == 0) {
                throw new EngineException(failure.getMessage(), failure);
            }
            return NativeCimd.client(handle, request);
        } catch (EngineException e) {
            throw e;
        } catch (IOException e) {
            throw new EngineException(describe() + ": " + e.getMessage(), e);
        } finally {
            lock.readLock().unlock();
        }
    }

    @Override
    public String describe() {
        return "jni " + library;
    }

    @Override
    public void close() {
        lock.writeLock().lock();
        try {
            closed = true;
            if (handle != 0) {
                NativeCimd.close(handle);
                handle = 0;
            }
            failure = new EngineException(describe() + " is closed");
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Once a second: is it open, and is that still the configuration? */
    private void look() {
        if (opened) {
            if (!looking.tryLock()) {
                return; // somebody else looks
            }
        } else {
            looking.lock(); // nobody can be asked before
        }
        try {
            if (System.nanoTime() - looked >= LOOK_NANOS) {
                if (opened) {
                    reload();
                } else {
                    open();
                }
                looked = System.nanoTime();
            }
        } finally {
            looking.unlock();
        }
    }

    private void open() {
        lock.writeLock().lock();
        try {
            if (!closed) {
                tryOpen();
            }
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Lookups that are under way finish under the old configuration. */
    private void reload() {
        lock.readLock().lock();
        try {
            if (handle != 0) {
                tryReload();
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    private void tryOpen() {
        try {
            NativeCimd.load(library);
            FileTime now = Files.getLastModifiedTime(config);
            handle = NativeCimd.open(Files.readAllBytes(config));
            changed = now;
            opened = true;
            LOG.log(System.Logger.Level.INFO, "cimd: libcimd {0} from {1}",
                new String(NativeCimd.version(), StandardCharsets.US_ASCII),
                library);
        } catch (EngineException e) {
            failure = e;
        } catch (IOException e) {
            failure = new EngineException(config + ": " + reason(e), e);
        }
    }

    private void tryReload() {
        try {
            FileTime now = Files.getLastModifiedTime(config);
            if (now.equals(changed)) {
                return;
            }
            changed = now;
            NativeCimd.reload(handle, Files.readAllBytes(config));
            LOG.log(System.Logger.Level.INFO, "cimd: took the new {0}",
                config);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING,
                "cimd: the old configuration stays in force: {0}: {1}",
                config, reason(e));
        }
    }

    /** A NoSuchFileException says nothing but the name. */
    private static String reason(IOException e) {
        return e instanceof java.nio.file.NoSuchFileException
            ? "there is no such file" : e.getMessage();
    }
}
