using MedMerge.Grains.Running;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Grains.Tests.Running;

public sealed class KernelWeightFormatTests
{
    private const int Sources = 2;
    private const int Classes = 2;
    private static readonly Architecture Architecture = Architectures.Create("resnet20");
    private static readonly KernelWeightFormat Format = new(Architecture, Architecture.Filters, Sources, Classes);
    private static readonly double[] Alpha = Count(1, Sources * Architecture.Filters);
    private static readonly double[] Weight = Count(1000, Classes * Architecture.Features);
    private static readonly double[] Bias = Count(2000, Classes);

    [Fact]
    public void A_step_comes_back_from_its_numbers()
    {
        var step = new KernelWeightStep(2, 7, new KernelWeightMatrix(Architecture, Sources, Alpha), new Head(Weight, Bias));

        var back = Format.ReadStep(2, 7, Format.Write(step));

        Assert.Equal((2, 7), (back.Epoch, back.Step));
        Assert.Equal(Alpha, back.Alpha.Values);
        Assert.Equal(Weight, back.Head.Weight);
        Assert.Equal(Bias, back.Head.Bias);
    }

    [Fact]
    public void A_gradient_comes_back_from_its_numbers()
    {
        var gradient = new KernelWeightGradient(2, 7, 1, 32, 0.5, new KernelWeightMatrix(Architecture, Sources, Alpha), Weight, Bias);
        var answer = new GradientPart(2, 7, 1, 32, 0.5, PackedNumbers.Pack(Array.Empty<double>(), offset: 0));

        var back = Format.ReadGradient(answer, Format.Write(gradient));

        Assert.Equal((2, 7, 1, 32, 0.5), (back.Epoch, back.Step, back.Shard, back.Images, back.Loss));
        Assert.Equal(Alpha, back.Alpha.Values);
        Assert.Equal(Weight, back.HeadWeight);
        Assert.Equal(Bias, back.HeadBias);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void Another_number_of_numbers_is_refused(int difference)
    {
        var length = Alpha.Length + Weight.Length + Bias.Length + difference;
        Assert.Throws<InvalidDataException>(() => Format.ReadStep(1, 0, new double[length]));
    }

    private static double[] Count(int from, int length) => [.. Enumerable.Range(from, length).Select(number => (double)number)];
}
