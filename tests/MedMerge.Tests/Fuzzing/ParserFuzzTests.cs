using System.Diagnostics;
using System.Globalization;

namespace MedMerge.Tests.Fuzzing;

/// <summary>
/// Damaged files of every format are read, or refused with one message: nothing else is thrown, and neither time nor memory runs away.
/// <c>MEDMERGE_FUZZ_INPUTS</c> sets how many inputs each format gets, <c>MEDMERGE_FUZZ_SEED</c> the first of their seeds.
/// </summary>
public class ParserFuzzTests(ITestOutputHelper output)
{
    private const int Inputs = 2300;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(10);

    [Fact]
    public void Weights() => Fuzz(FuzzTargets.Weights);

    [Fact]
    public void Kernel_weights() => Fuzz(FuzzTargets.KernelWeights);

    [Fact]
    public void Medmnist() => Fuzz(FuzzTargets.Medmnist);

    [Fact]
    public void Packed() => Fuzz(FuzzTargets.Packed);

    [Fact]
    public void Images() => Fuzz(FuzzTargets.Images);

    [Fact]
    public void Dicom() => Fuzz(FuzzTargets.Dicom);

    [Fact]
    public void Archives() => Fuzz(FuzzTargets.Archives);

    [Fact]
    public void Lists() => Fuzz(FuzzTargets.Lists);

    [Fact]
    public void Specifications() => Fuzz(FuzzTargets.Specifications);

    private void Fuzz(FuzzTarget target)
    {
        var seeds = target.Seeds();
        var read = target.Read;
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
            Assert.True(allocated <= FuzzTarget.MaxAllocated, $"Seed {number}, {file.Length} bytes, takes {allocated >> 20} MiB.");
            Assert.True(time.Elapsed <= MaxTime, $"Seed {number}, {file.Length} bytes, takes {time.Elapsed}.");
        }
        output.WriteLine($"{refused} of {inputs} are refused.");
        Assert.InRange(refused, inputs / 20, inputs);
    }

    private static int? Setting(string name) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value) ? value : null;
}
