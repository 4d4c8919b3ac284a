using System.Text;
using MedMerge.Data;
using MedMerge.Data.Formats;
using MedMerge.Data.Formats.Images;
using MedMerge.Experiments.Specifications;
using MedMerge.Merging;
using MedMerge.Tensors;
using MedMerge.Testing;

namespace MedMerge.Tests.Fuzzing;

/// <summary>The parsers of files that come from outside, for <c>ParserFuzzTests</c> and for the program <c>MedMerge.Fuzzing</c>.</summary>
internal static class FuzzTargets
{
    public static readonly FuzzTarget Weights = new(
        nameof(Weights),
        () => [.. FuzzSeeds.Checkpoints(), FuzzSeeds.Safetensors(), FuzzSeeds.Onnx()],
        ReadWeights);

    public static readonly FuzzTarget KernelWeights = new(
        nameof(KernelWeights),
        () => [FuzzSeeds.KernelWeights()],
        file => LearnedKernelWeights.Read(file, "'x'"));

    public static readonly FuzzTarget Medmnist = new(
        nameof(Medmnist),
        () => [FuzzSeeds.Npz()],
        file => MedMnistReader.Read(file, "x.npz", null));

    public static readonly FuzzTarget Packed = new(
        nameof(Packed),
        () => [PackedDataset.Write(Phantoms.Create("lesions", 8, train: 8, validation: 4, test: 4))],
        file => PackedDataset.Read(file, "'x'"));

    public static readonly FuzzTarget Images = new(
        nameof(Images),
        () => [.. FuzzSeeds.Images().Select(image => image.Content)],
        file => ImageDecoder.Decode(file, "'x'"));

    public static readonly FuzzTarget Dicom = new(
        nameof(Dicom),
        () => [.. FuzzSeeds.Dicoms()],
        file => ImageDecoder.Decode(file, "'x'"));

    public static readonly FuzzTarget Archives = new(
        nameof(Archives),
        () => [FuzzSeeds.Archive(hasList: false), FuzzSeeds.Archive(hasList: true)],
        file => new ImageZipFormat().Load("x.zip", null, new ImageSettings { Size = 8 }, (_, _) => file));

    public static readonly FuzzTarget Lists = new(
        nameof(Lists),
        () => [Encoding.UTF8.GetBytes(FuzzSeeds.List())],
        file => ImageManifest.Read(file, "'x'"));

    public static readonly FuzzTarget Specifications = new(
        nameof(Specifications),
        ExampleSpecifications,
        file => SpecificationReader.Read(Encoding.UTF8.GetString(file), "x.yaml", []));

    public static IReadOnlyList<FuzzTarget> All { get; } =
        [Weights, KernelWeights, Medmnist, Packed, Images, Dicom, Archives, Lists, Specifications];

    private static List<byte[]> ExampleSpecifications()
    {
        string[] names = ["quickstart.yaml", "search.yaml"]; // of data sets that are drawn, so that no files are looked for
        return [.. names.Select(name => File.ReadAllBytes(Path.Combine(Repository.Root, "examples", name)))];
    }

    private static void ReadWeights(byte[] bytes)
    {
        using var file = ModelFile.Read(bytes, "'x'");
        foreach (var tensor in file.Tensors.Where(tensor => tensor.IsFloat)) tensor.ReadDoubles();
    }
}
