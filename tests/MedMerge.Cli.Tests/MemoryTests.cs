using System.IO.Compression;
using System.Text;
using MedMerge.Models;
using MedMerge.Tensors;

namespace MedMerge.Cli.Tests;

/// <summary>
/// The most memory that a whole run on one lane takes, from the import of ImageNet-sized sources to the report, in a process of its own.
/// </summary>
public sealed class MemoryTests(ITestOutputHelper output) : IDisposable
{
    private const int Batch = 64;

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-memory-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>The second takes minutes: <c>MEDMERGE_SLOW=1</c> runs it.</summary>
    [Theory]
    [InlineData(64, 1_500)]
    [InlineData(224, 6_000)]
    public async Task A_run_with_ResNet_18_needs_no_more_than(int side, int megabytes)
    {
        Assert.SkipWhen(side > 64 && Environment.GetEnvironmentVariable("MEDMERGE_SLOW") != "1", "MEDMERGE_SLOW is not 1.");
        WriteImages(side);
        foreach (var (name, seed) in new[] { ("a", 1UL), ("b", 2UL) }) WriteSource(name, seed);
        File.WriteAllText(In("spec.yaml"), $$"""
            target: { data: images.npz }
            architecture: resnet18
            sources:
              - { name: a, weights: a.safetensors }
              - { name: b, weights: b.safetensors }
            methods: [medmerge, fine-tune]
            seeds: 1
            threads: 1
            kernelWeights: { epochs: 1, batchSize: {{Batch}} }
            fineTune: { epochs: 1, batchSize: {{Batch}} }
            """);

        string[] arguments = ["run", "spec.yaml", "--store", "store", "--output", "out", "--lanes", "1"];
        var (peak, _) = await MeasuredRun.RunAsync(_folder, arguments);

        output.WriteLine($"{side} px: {peak / 1_000_000} MB");
        Assert.InRange(peak, 100_000_000, megabytes * 1_000_000L);
        Assert.True(File.Exists(In("out/medmerge/seed-0/model.safetensors")));
    }

    private void WriteImages(int side)
    {
        using var archive = ZipFile.Open(In("images.npz"), ZipArchiveMode.Create);
        var random = new Random(1);
        foreach (var (split, count) in new[] { ("train", Batch), ("val", 48), ("test", 8) })
        {
            var pixels = new byte[count * side * side];
            random.NextBytes(pixels);
            Write($"{split}_images", "|u1", $"{count}, {side}, {side}", pixels);
            Write($"{split}_labels", "|u1", $"{count}, 1", [.. Enumerable.Range(0, count).Select(i => (byte)(i % 2))]);
        }

        void Write(string name, string type, string shape, byte[] data)
        {
            using var stream = archive.CreateEntry(name + ".npy", CompressionLevel.NoCompression).Open();
            var header = $"{{'descr': '{type}', 'fortran_order': False, 'shape': ({shape}), }}".PadRight(117) + "\n";
            stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0]);
            stream.Write(Encoding.ASCII.GetBytes(header));
            stream.Write(data);
        }
    }

    private void WriteSource(string name, ulong seed)
    {
        TorchRuntime.Start();
        using var weights = Architectures.Create("resnet18").Initialise(seed, classes: 2);
        File.WriteAllBytes(In($"{name}.safetensors"), Safetensors.Write(weights));
    }

    private string In(string name) => Path.Combine(_folder, name);
}
