"""nanio's storage with ranges as S3 reads them (RFC 9110, 14.1.2): nanio refuses an end behind the object's own."""

from nanio.errors import S3Error
from nanio.storage.filesystem import FilesystemStorage


# nanio has no types, so its classes are Any.
class InvalidRange(S3Error):  # type: ignore[misc]
    """No byte of the object is in the range."""

    code = "InvalidRange"
    http_status = 416
    message = "The requested range is not satisfiable"


class RangedStorage(FilesystemStorage):  # type: ignore[misc] # see above
    """Objects as files; an end of a range behind the object's own means the object's."""

    async def get_object(
        self, bucket: str, key: str, *, range_start: int | None = None, range_end: int | None = None
    ) -> object:
        """The object or a part of it; InvalidRange where the part would be empty."""
        if range_start is not None:
            size = self.head_object(bucket, key).size
            if range_start >= size:
                raise InvalidRange(resource=f"{bucket}/{key}")
            range_end = size - 1 if range_end is None else min(range_end, size - 1)
        return await super().get_object(bucket, key, range_start=range_start, range_end=range_end)
