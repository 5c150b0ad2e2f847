"""What the functions under test are configured with."""

import os

# The logins of functions and people, each with a password of its own.
LOGINS = ("questlog_app", "questlog_auth", "questlog_operator", "questlog_jobs", "questlog_console")
# The terms of service that users have accepted.
TERMS = "1.0"
ENVIRONMENT = {
    # Replaced by the worker's database before the first request; collecting tests imports the functions earlier.
    "DATABASE_URL": "postgresql://",
    "APP_DATABASE_URL": "postgresql://",
    "AUTH_DATABASE_URL": "postgresql://",
    "OPERATOR_DATABASE_URL": "postgresql://",
    "CONSOLE_DATABASE_URL": "postgresql://",
    "JOBS_DATABASE_URL": "postgresql://",
    "PUBLIC_URL": "https://api.questlog.test",
    "FRONTEND_URL": "https://questlog.test",
    "ALLOWED_ORIGINS": "https://questlog.test,http://localhost:3000",
    "TOS_VERSION": TERMS,
    # A hundred years, so that a session outlives every move of the clock.
    "SESSION_IDLE_DAYS": "36500",
    "ADMIN_EMAILS": "admin@questlog.test",
    "ADMIN_CLAIM_KEY": "a-claim-key-for-tests",
    "AUTH_RATE_LIMIT": "0",
    "GOOGLE_ISSUER": "http://127.0.0.1:1",
    "GOOGLE_CLIENT_ID": "questlog",
    "GOOGLE_CLIENT_SECRET": "a-client-secret",
    # Replaced by the address of the bucket once a test needs one.
    "R2_ENDPOINT": "http://127.0.0.1:1",
    "R2_BUCKET": "questlog",
    "R2_ACCESS_KEY_ID": "bucket-key-for-tests",
    "R2_SECRET_ACCESS_KEY": "bucket-secret-for-tests",
    "EXPORT_SIGNING_KEY": "a-key-for-tests-that-signs-archives",
    "VAPID_PUBLIC_KEY": "BEfNxNHhYgUd_zGGYLHWvmeQCVYZ15jV_hMytPJSvVdOvGvBxTn5C3oy4dK3I4kvagvisq_l0GpY1ey1Ku2sGhw",
    "VAPID_PRIVATE_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAL7vASNFZ4mrze8",
    "VAPID_SUBJECT": "mailto:operator@questlog.test",
    "PUSH_HOSTS": "fcm.googleapis.com,*.push.apple.com,localhost",
    "MAIL_FROM": "questlog@questlog.test",
    "UNSUBSCRIBE_KEY": "a-key-for-tests-that-signs-ways-out-of-mail",
    "POWERTOOLS_LOG_LEVEL": os.environ.get("POWERTOOLS_LOG_LEVEL", "CRITICAL"),
    "POWERTOOLS_SERVICE_NAME": "questlog",
}
