using System.Diagnostics;
using System.Globalization;
using System.Text;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Data.Formats.Images;
using MedMerge.Experiments.Specifications;
using MedMerge.Merging;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Tests.Fuzzing;

/// <summary>
/// Damaged files of every format are read, or refused with one message: nothing else is thrown, and neither time nor memory runs away.
/// <c>MEDMERGE_FUZZ_INPUTS</c> sets how many inputs each format gets, <c>MEDMERGE_FUZZ_SEED</c> the first of their seeds.
/// </summary>
public class ParserFuzzTests(ITestOutputHelper output)
{
    private const int Inputs = 2300;
    private const long MaxAllocated = 512L << 20;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    [Fact]
    public void Weights() => Fuzz([.. FuzzSeeds.Checkpoints(), FuzzSeeds.Safetensors(), FuzzSeeds.Onnx()], ReadWeights);

    [Fact]
    public void Kernel_weights() => Fuzz([FuzzSeeds.KernelWeights()], file => LearnedKernelWeights.Read(file, "'x'"));

    [Fact]
    public void Medmnist() => Fuzz([FuzzSeeds.Npz()], file => MedMnistReader.Read(file, "x.npz", null));

    [Fact]
    public void Packed() => Fuzz([PackedDataset.Write(Phantoms.Create("lesions", 8, train: 8, validation: 4, test: 4))], file =>
        PackedDataset.Read(file, "'x'"));

    [Fact]
    public void Images() => Fuzz([.. FuzzSeeds.Images().Select(image => image.Content)], file => ImageDecoder.Decode(file, "'x'"));

    [Fact]
    public void Dicom() => Fuzz([FuzzSeeds.Dicom()], file => ImageDecoder.Decode(file, "'x'"));

    [Fact]
    public void Archives() => Fuzz([FuzzSeeds.Archive(hasList: false), FuzzSeeds.Archive(hasList: true)], file =>
        new ImageZipFormat().Load("x.zip", null, new ImageSettings { Size = 8 }, (_, _) => file));

    [Fact]
    public void Lists() => Fuzz([Encoding.UTF8.GetBytes(FuzzSeeds.List())], file => ImageManifest.Read(file, "'x'"));

    [Fact]
    public void Specifications()
    {
        string[] names = ["quickstart.yaml", "search.yaml"]; // of data sets that are drawn, so that no files are looked for
        var examples = names.Select(name => File.ReadAllBytes(Path.Combine(Repository.Root, "examples", name))).ToList();
        Fuzz(examples, file => SpecificationReader.Read(Encoding.UTF8.GetString(file), "x.yaml", []));
    }

    private void Fuzz(IReadOnlyList<byte[]> seeds, Action<byte[]> read)
    {
        var inputs = Setting("MEDMERGE_FUZZ_INPUTS") ?? Inputs;
        var first = Setting("MEDMERGE_FUZZ_SEED") ?? 1;
        foreach (var seed in seeds) read(seed); // whole ones are read
        var refused = 0;
        for (var number = first; number < first + inputs; number++)
        {
            var file = new Mutator(number).Next(seeds);
            var allocated = GC.GetAllocatedBytesForCurrentThread();
            var time = Stopwatch.StartNew();
            try
            {
                read(file);
            }
            catch (InputException error)
            {
                refused++;
                Assert.False(string.IsNullOrWhiteSpace(error.Message), $"Seed {number} is refused without a word.");
            }
            catch (Exception error)
            {
                Assert.Fail($"Seed {number}, {file.Length} bytes: {error}");
            }
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            Assert.True(allocated <= MaxAllocated, $"Seed {number}, {file.Length} bytes, takes {allocated >> 20} MiB.");
            Assert.True(time.Elapsed <= MaxTime, $"Seed {number}, {file.Length} bytes, takes {time.Elapsed}.");
        }
        output.WriteLine($"{refused} of {inputs} are refused.");
        Assert.InRange(refused, inputs / 20, inputs);
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;

    private static void ReadWeights(byte[] bytes)
    {
        using var file = ModelFile.Read(bytes, "'x'");
        foreach (var tensor in file.Tensors.Where(tensor => tensor.IsFloat)) tensor.ReadDoubles();
    }
}
