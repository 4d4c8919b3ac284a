using System.Net;
using System.Security.Cryptography;

namespace MedMerge.Gateway.Tests;

/// <summary>Tests that measure the memory of the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;

/// <summary>What files cost the gateway. Neither needs a cluster.</summary>
[Collection(nameof(Alone))]
public sealed class FileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-files-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Artefacts => Path.Combine(_folder, "artefacts");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Nobody could read that much meanwhile, and no array could hold it.</summary>
    [Fact]
    public async Task HEAD_reads_nothing_of_the_file()
    {
        const long Length = 100L << 30;
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder);
        using var client = RunningGateway.CreateClient(app);
        var hash = ContentHash.Of("sparse");
        Directory.CreateDirectory(Artefacts);
        using (var sparse = File.Create(Path.Combine(Artefacts, hash))) sparse.SetLength(Length);

        using var request = new HttpRequestMessage(HttpMethod.Head, $"/api/v1/files/{hash}");
        using var answer = await client.SendAsync(request, Cancellation);
        using var missing = new HttpRequestMessage(HttpMethod.Head, $"/api/v1/files/{ContentHash.Of("missing")}");
        using var none = await client.SendAsync(missing, Cancellation);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(Length, answer.Content.Headers.ContentLength);
        Assert.Equal($"\"{hash}\"", answer.Headers.ETag?.Tag);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task An_upload_takes_little_memory_and_leaves_nothing_if_it_is_refused()
    {
        const int Length = 200 << 20;
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder);
        using var client = RunningGateway.CreateClient(app);
        var path = Path.Combine(_folder, "upload");
        string hash;
        using (var file = File.Create(path))
        {
            file.SetLength(Length);
            hash = await ContentHash.OfAsync(file, Cancellation);
        }
        Assert.Equal(HttpStatusCode.NotFound, (await HeadAsync()).StatusCode); // the store is open and all code is loaded

        var before = GC.GetTotalAllocatedBytes(precise: true);
        var damaged = await PutAsync(ContentHash.Of("another"));
        var uploaded = await PutAsync(hash);
        var allocated = GC.GetTotalAllocatedBytes(precise: true) - before;

        Assert.Equal(HttpStatusCode.BadRequest, damaged);
        Assert.Equal(HttpStatusCode.NoContent, uploaded);
        Assert.Equal([hash], Directory.GetFiles(Artefacts).Select(Path.GetFileName));
        using (var stored = File.OpenRead(Path.Combine(Artefacts, hash)))
            Assert.Equal(hash, Convert.ToHexStringLower(await SHA256.HashDataAsync(stored, Cancellation)));
        Assert.True(allocated < Length / 4, $"{allocated >> 20} MiB were allocated for two uploads of {Length >> 20} MiB.");

        async Task<HttpResponseMessage> HeadAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, $"/api/v1/files/{hash}");
            return await client.SendAsync(request, Cancellation);
        }

        async Task<HttpStatusCode> PutAsync(string name)
        {
            using var content = new StreamContent(File.OpenRead(path));
            using var answer = await client.PutAsync($"/api/v1/files/{name}", content, Cancellation);
            return answer.StatusCode;
        }
    }
}
