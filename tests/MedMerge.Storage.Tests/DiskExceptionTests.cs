namespace MedMerge.Storage.Tests;

public sealed class DiskExceptionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-disk-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(28, "the disk is full")]
    [InlineData(122, "the disk quota is used up")]
    [InlineData(30, "its file system is read-only")]
    public async Task A_write_that_the_disk_refuses_names_file_and_reason_and_leaves_what_was_there(int errno, string reason)
    {
        var path = Path.Combine(_folder, "file");
        await File.WriteAllBytesAsync(path, [1], Cancellation);
        using var content = new FailingStream(new IOException("No space left on device", errno));

        var error = await Assert.ThrowsAsync<DiskException>(() => AtomicFile.WriteAsync(path, content, overwrite: true, Cancellation));

        Assert.StartsWith($"'{path}' can't be written: {reason}", error.Message, StringComparison.Ordinal);
        Assert.Equal(errno, error.HResult);
        Assert.Equal([path], Directory.GetFiles(_folder));
        Assert.Equal([1], await File.ReadAllBytesAsync(path, Cancellation));
    }

    [Fact]
    public async Task Another_fault_stays_what_it_is()
    {
        using var content = new FailingStream(new IOException("Input/output error", 5));

        var error = await Assert.ThrowsAsync<IOException>(
            () => AtomicFile.WriteAsync(Path.Combine(_folder, "file"), content, overwrite: true, Cancellation));

        Assert.Equal(5, error.HResult);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    /// <summary>Fails as it is copied, half of it being written by then.</summary>
    private sealed class FailingStream(IOException error) : MemoryStream
    {
        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await destination.WriteAsync(new byte[100_000], cancellationToken);
            throw error;
        }
    }
}
