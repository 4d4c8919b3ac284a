using MedMerge.Grains.Hosting;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.Logging;

namespace MedMerge.Grains.Tests;

/// <summary>
/// A bug in a stage can be found from the log of the node that met it, and the sweep's record leads there.
/// </summary>
public sealed class FailureLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-failure-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_stage_that_throws_leaves_its_stack_in_the_log_and_its_type_time_and_node_in_the_record()
    {
        var objects = new BuggyStore(new FolderObjectStore(Path.Combine(_folder, "store")));
        var log = new RecordingLogger();
        await using var cluster =
            await LocalCluster.StartAsync(objects, TestDevice.Name, log: false, Cancellation, host => host.Logging.AddProvider(log));
        var sweep = await LocalSweep.StartAsync(cluster, objects, new SpecificationBuilder { Methods = "[scratch]" });

        var status = await SweepView.ReadAsync(sweep);
        while (status.Trials.Count == 0 || status.Trials[0].Reason is null)
            status = await SweepView.ReadAsync(sweep, status.Status.Version).WaitAsync(TimeSpan.FromMinutes(2), Cancellation);
        await sweep.CancelAsync();

        var line = log.Lines.First(line => line.Error is NullReferenceException);
        Assert.Contains(nameof(BuggyStore), line.Error!.StackTrace, StringComparison.Ordinal);
        Assert.StartsWith("Stage '", line.Message, StringComparison.Ordinal);
        Assert.Matches(@"^NullReferenceException: a bug \(log of node .+ at \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ\)$", status.Trials[0].Reason);
    }

    /// <summary>Has a bug where a finished stage is kept.</summary>
    private sealed class BuggyStore(IObjectStore inner) : IObjectStore
    {
        public Task<StoredObject?> ReadAsync(string name, CancellationToken cancellation) => inner.ReadAsync(name, cancellation);

        public Task<string?> TryCreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellation) =>
            name.StartsWith(StageStore.Prefix, StringComparison.Ordinal)
                ? throw new NullReferenceException("a bug")
                : inner.TryCreateAsync(name, content, cancellation);

        public Task<ObjectProperties?> GetPropertiesAsync(string name, CancellationToken cancellation) =>
            inner.GetPropertiesAsync(name, cancellation);

        public Task WriteAsync(string name, Stream content, CancellationToken cancellation) =>
            inner.WriteAsync(name, content, cancellation);

        public Task<string?> TryReplaceAsync(string name, ReadOnlyMemory<byte> content, string etag, CancellationToken cancellation) =>
            inner.TryReplaceAsync(name, content, etag, cancellation);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellation) =>
            inner.ListAsync(prefix, cancellation);

        public Task DeleteAsync(string name, CancellationToken cancellation) => inner.DeleteAsync(name, cancellation);

        public Task<bool> TryDeleteAsync(ObjectInfo listed, CancellationToken cancellation) =>
            inner.TryDeleteAsync(listed, cancellation);
    }
}
