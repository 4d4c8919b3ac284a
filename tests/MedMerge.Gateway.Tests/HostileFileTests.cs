using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using MedMerge.Testing;

namespace MedMerge.Gateway.Tests;

/// <summary>What is uploaded in place of a data set: 400 says what it is, and no sweep is there.</summary>
public sealed class HostileFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-hostile-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public Task A_pointer_in_place_of_the_file() => RefusesAsync(
        Encoding.ASCII.GetBytes("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"),
        "a Git LFS pointer");

    [Fact]
    public Task A_web_page() => RefusesAsync(Encoding.ASCII.GetBytes("<!DOCTYPE html><html>Not found</html>"), "a web page");

    [Fact]
    public Task A_file_that_is_cut_off()
    {
        var whole = File.ReadAllBytes(NpzFile.Write(_folder));
        return RefusesAsync(whole[..(whole.Length / 2)], "damaged or truncated");
    }

    [Fact]
    public Task A_zip_bomb()
    {
        var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = zip.CreateEntry("train_images.npy", CompressionLevel.SmallestSize).Open();
            var zeros = new byte[1 << 20];
            for (var i = 0; i < 100; i++) entry.Write(zeros);
        }
        return RefusesAsync(file.ToArray(), "zip bomb");
    }

    private async Task RefusesAsync(byte[] content, string what)
    {
        await using var app = await RunningGateway.LaunchWithoutClusterAsync(_folder);
        using var client = RunningGateway.CreateClient(app);
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        using var uploaded = await client.PutAsync($"/api/v1/files/{hash}", new ByteArrayContent(content), Cancellation);
        uploaded.EnsureSuccessStatusCode();
        const string synthetic = "data: 'phantom:lesions', trainImages: 24";
        var request = new
        {
            specification = Specifications.Tiny.Yaml.Replace(synthetic, "data: set.npz", StringComparison.Ordinal),
            files = new Dictionary<string, string> { ["set.npz"] = $"sha256:{hash}/set.npz" },
        };
        using var answer = await client.PostAsJsonAsync("/api/v1/sweeps", request, Cancellation);
        var text = await answer.Content.ReadAsStringAsync(Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(what, text, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "sweeps")), "A sweep was begun.");
    }
}
