using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace MedMerge.Grains.Tests;

/// <summary>What crosses silos arrives as it was.</summary>
public sealed class MessageTests
{
    [Fact]
    public void A_failure_crosses_silos_with_its_class_and_its_words()
    {
        using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();
        var sent = new WorkFailedException(new Failure(FailureKind.Permanent, "The network's answer for held-out image 7 is not a number."));
        var arrived = Assert.IsType<WorkFailedException>(serializer.Deserialize<Exception>(serializer.SerializeToArray<Exception>(sent)));
        Assert.Equal(sent.Failure, arrived.Failure);
        Assert.Equal(sent.Message, arrived.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(FineTunePart.MaxLength)]
    [InlineData(FineTunePart.MaxLength + 1)]
    [InlineData((2 * FineTunePart.MaxLength) + 17)]
    public void Parts_put_together_are_the_whole(int length)
    {
        var whole = Enumerable.Range(0, length).Select(i => (float)i).ToArray();
        var together = new float[length];
        var parts = FineTunePart.Offsets(length).Select(offset => FineTunePart.Of(1, 2, whole, offset)).ToList();
        foreach (var part in parts) part.Values.CopyTo(together.AsSpan(part.Offset, Math.Min(FineTunePart.MaxLength, length - part.Offset)));
        Assert.Equal(whole, together);
        Assert.Equal((length + FineTunePart.MaxLength - 1) / FineTunePart.MaxLength, parts.Count);
    }
}
