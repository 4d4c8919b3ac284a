using System.Text.Json;
using MedMerge.Merging.Files;
using MedMerge.Tensors;

namespace MedMerge.Tests.Merging.Files;

public sealed class WeightFileMergerTests : IDisposable
{
    private static readonly string[] Types = ["F64", "F32", "F16", "BF16"];
    private static readonly double[] Weights = [0.5, 2, 1.25];

    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-files-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>All types, mixed between files, special values, and lengths around those of vectors and chunks.</summary>
    [Fact]
    public async Task The_mean_is_that_of_a_plain_loop_in_float64_rounded_once()
    {
        WriteThree();

        await MergeAsync("out", new WeightedMean(Weights), threads: 2, "a", "b", "c");

        using var files = Open("a", "b", "c");
        using var merged = ModelFile.Open(In("out"));
        Assert.Equal(files[0].Tensors.Select(Describe), merged.Tensors.Select(Describe));
        foreach (var tensor in files[0].Tensors)
        {
            var values = files.Select(file => TensorFile.Read(file, tensor.Name).Values).ToArray();
            var expected = new double[tensor.Count];
            for (var i = 0; i < expected.Length; i++)
            {
                expected[i] = Weights[0] / Weights.Sum() * values[0][i];
                for (var source = 1; source < 3; source++) expected[i] += Weights[source] / Weights.Sum() * values[source][i];
            }
            if (tensor.IsFloat) Assert.Equal(Round(tensor.Type, expected), TensorFile.Read(merged, tensor.Name).Values);
        }
        Assert.Equal(TensorFile.Read(files[0], "count").Bytes, TensorFile.Read(merged, "count").Bytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.3)]
    [InlineData(1)]
    public async Task Slerp_is_the_published_formula_and_linear_where_it_has_no_angle(double t)
    {
        var values = Enumerable.Range(0, 20_001).Select(i => Math.Sin(i)).ToArray();
        var other = values.Select((value, i) => Math.Cos(1.3 * i) + (0.2 * value)).ToArray();
        void Write(string name, double[] content) => new TensorFile()
            .Add("angle", "F64", content, content.Length)
            .Add("parallel", "F64", [.. values.Select(value => value * content[^1])], values.Length)
            .Add("zero", "F64", [0, 0, content[1]], 3)
            .Add("nothing", "F64", [0, 0], 2)
            .Write(In(name));
        Write("a", values);
        Write("b", other);

        await MergeAsync("out", new SphericalInterpolation(t), threads: 2, "a", "b");

        using var merged = ModelFile.Open(In("out"));
        var cosine = Dot(values, other) / Math.Sqrt(Dot(values, values) * Dot(other, other));
        var angle = Math.Acos(cosine);
        Assert.InRange(angle, 1, 2);
        Check("angle", i => ((Math.Sin((1 - t) * angle) * values[i]) + (Math.Sin(t * angle) * other[i])) / Math.Sin(angle));
        Check("parallel", i => (((1 - t) * values[^1]) + (t * other[^1])) * values[i]);
        Check("zero", i => i < 2 ? 0 : ((1 - t) * values[1]) + (t * other[1]));
        Check("nothing", _ => 0);

        void Check(string name, Func<int, double> expected)
        {
            var found = TensorFile.Read(merged, name).Values;
            for (var i = 0; i < found.Length; i++) Assert.Equal(expected(i), found[i], 1e-13);
        }
    }

    [Fact]
    public async Task One_thread_and_eight_write_the_same_bytes()
    {
        WriteThree();
        FileCombination[] combinations = [new WeightedMean([1, 1]), new SphericalInterpolation(0.25)];
        foreach (var combination in combinations)
        {
            await MergeAsync("one", combination, threads: 1, "a", "b");
            await MergeAsync("eight", combination, threads: 8, "a", "b");

            Assert.Equal(File.ReadAllBytes(In("one")), File.ReadAllBytes(In("eight")));
        }
    }

    [Fact]
    public async Task The_metadata_say_what_all_files_say_and_how_this_one_was_made()
    {
        foreach (var name in new[] { "a", "b" })
        {
            var file = new TensorFile { Metadata = { ["architecture"] = "resnet18", ["epoch"] = name, ["medmerge"] = "{}" } };
            file.Add("x", "F32", seed: 1, 3).Write(In(name));
        }

        await MergeAsync("mean", new WeightedMean([3, 1]), threads: 1, "a", "b");
        await MergeAsync("slerp", new SphericalInterpolation(0.25), threads: 1, "a", "b");

        using var mean = ModelFile.Open(In("mean"));
        Assert.Equal(["architecture", "format", "medmerge"], mean.Metadata.Keys.Order());
        Assert.Equal("pt", mean.Metadata["format"]);
        var made = JsonDocument.Parse(mean.Metadata["medmerge"]).RootElement;
        Assert.Equal("average", made.GetProperty("command").GetString());
        Assert.NotEqual("unknown", made.GetProperty("version").GetString());
        Assert.Equal([0.75, 0.25], made.GetProperty("weights").EnumerateArray().Select(weight => weight.GetDouble()));
        var second = made.GetProperty("sources")[1];
        Assert.Equal("b", second.GetProperty("file").GetString());
        Assert.Equal(ContentHash.Of(File.ReadAllBytes(In("b"))), second.GetProperty("sha256").GetString());
        using var slerp = ModelFile.Open(In("slerp"));
        Assert.Equal(0.25, JsonDocument.Parse(slerp.Metadata["medmerge"]).RootElement.GetProperty("t").GetDouble());
    }

    [Fact]
    public void Everything_that_differs_is_in_one_message()
    {
        new TensorFile().Add("x", "F32", 1, 3).Add("n", "I64", 1, 1).Add("y", "F32", 1, 2, 2).Write(In("a"));
        new TensorFile().Add("x", "F32", 1, 4).Add("n", "F32", 1, 1).Add("z", "F32", 1, 1).Write(In("b"));
        new TensorFile().Add("x", "F16", 1, 3).Add("n", "I64", 1, 1).Write(In("c"));

        var error = Assert.Throws<InputException>(() => new WeightFileMerger([In("a"), In("b"), In("c")], new WeightedMean([1, 1, 1])));

        Assert.Equal(
            "The files hold different tensors. " +
            $"'{In("b")}' differs from '{In("a")}': 'x' is [4], not [3], 'n' is F32, not I64, 'y' is missing, 'z' is only there; " +
            $"'{In("c")}' differs from '{In("a")}': 'y' is missing.",
            error.Message);
    }

    [Fact]
    public void A_type_that_is_not_read_is_named()
    {
        const string header = """{"x":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}} """;
        File.WriteAllBytes(In("a"), [.. BitConverter.GetBytes((long)header.Length), .. header.Select(c => (byte)c), .. new byte[8]]);

        var error = Assert.Throws<InputException>(() => new WeightFileMerger([In("a"), In("a")], new WeightedMean([1, 1])));

        Assert.Contains("'x' has the type F8_E4M3, which is not read", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PyTorch_checkpoints_of_both_formats_are_read()
    {
        foreach (var name in new[] { "old.pt", "new.pt" })
            File.Copy(Path.Combine(AppContext.BaseDirectory, "Fixtures", name), In(name));

        await MergeAsync("out", new WeightedMean([1, 3]), threads: 1, "old.pt", "new.pt");

        using var old = ModelFile.Open(In("old.pt"));
        using var merged = ModelFile.Open(In("out"));
        Assert.Equal(old.Tensors.Select(Describe), merged.Tensors.Select(Describe));
        foreach (var name in old.Tensors.Select(tensor => tensor.Name))
            Assert.Equal(TensorFile.Read(old, name).Bytes, TensorFile.Read(merged, name).Bytes);
        var transposed = TensorFile.Read(merged, "state_dict.module.transposed").Values;
        Assert.Equal([0, 1, 2, 0.25, 1.25, 2.25, 0.5, 1.5, 2.5, 0.75, 1.75, 2.75], transposed);
    }

    [Fact]
    public async Task A_file_that_becomes_shorter_is_reported()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows keeps other programs from writing to a file that is read.");
        new TensorFile().Add("x", "F32", seed: 1, 100_000).Write(In("a"));
        new TensorFile().Add("x", "F32", seed: 2, 100_000).Write(In("b"));
        using var merger = new WeightFileMerger([In("a"), In("b")], new WeightedMean([1, 1]));
        using (var file = new FileStream(In("b"), FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(1000);
        using var output = File.OpenHandle(In("out"), FileMode.Create, FileAccess.Write);

        var error = await Assert.ThrowsAsync<InputException>(() => merger.WriteAsync(output, threads: 2, CancellationToken.None));

        Assert.Equal($"'{In("b")}' became shorter while it was read.", error.Message);
    }

    [Theory]
    [InlineData(1, -1)]
    [InlineData(0, 0)]
    [InlineData(double.NaN, 1)]
    [InlineData(double.PositiveInfinity, 1)]
    [InlineData(double.MaxValue, double.MaxValue)]
    public void Weights_without_a_mean_are_refused(double first, double second) =>
        Assert.Throws<InputException>(() => new WeightedMean([first, second]));

    private void WriteThree()
    {
        long[] lengths = [0, 1, 7, 33, ChunkLoop.Elements - 1, ChunkLoop.Elements, ChunkLoop.Elements + 1, 50_003];
        foreach (var (file, shift) in new[] { ("a", 0), ("b", 1), ("c", 2) })
        {
            var content = new TensorFile();
            for (var i = 0; i < Types.Length * lengths.Length; i++)
                content.Add($"x{i}", Types[(i + (shift * (i % 3))) % Types.Length], (100 * shift) + i, lengths[i / Types.Length]);
            content.Add("bfloat", "BF16", shift, 3, 5, 7).Add("count", "I64", [shift + 5], []).Add("scalar", "F32", [shift + 0.5], []);
            content.Write(In(file));
        }
    }

    private async Task MergeAsync(string target, FileCombination combination, int threads, params string[] names)
    {
        using var merger = new WeightFileMerger([.. names.Select(In)], combination);
        using var output = File.OpenHandle(In(target), FileMode.Create, FileAccess.Write);
        await merger.WriteAsync(output, threads, TestContext.Current.CancellationToken);
    }

    private static double[] Round(string type, double[] values) => type switch
    {
        "F64" => values,
        "F32" => [.. values.Select(value => (double)(float)value)],
        "F16" => [.. values.Select(value => (double)(Half)value)],
        _ => [.. values.Select(RoundToBFloat16)],
    };

    /// <summary>Through the 40 bits that a BF16 lacks of a float64's 52, by the integer that ties to even.</summary>
    private static double RoundToBFloat16(double value)
    {
        if (!double.IsFinite(value) || value == 0) return value;
        var unit = Math.ScaleB(1, Math.Max(Math.ILogB(value), -126) - 7);
        var rounded = Math.Round(value / unit, MidpointRounding.ToEven) * unit;
        return Math.Abs(rounded) >= Math.ScaleB(1, 128) ? Math.CopySign(double.PositiveInfinity, value) : rounded;
    }

    private static double Dot(double[] one, double[] two) => one.Zip(two, (x, y) => x * y).Sum();

    private static string Describe(StoredTensor tensor) => $"{tensor.Name} {tensor.Type} {string.Join(',', tensor.Shape)}";

    private OpenFiles Open(params string[] names) => new([.. names.Select(name => ModelFile.Open(In(name)))]);

    private string In(string name) => Path.Combine(_folder, name);

    private sealed class OpenFiles(List<ModelFile> files) : List<ModelFile>(files), IDisposable
    {
        public void Dispose() => ForEach(file => file.Dispose());
    }
}
